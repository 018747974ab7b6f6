/** Who may import whom. `tools/check.sh` fails if no module was cruised. */
const only = (name, from, to) => ({
  name,
  severity: 'error',
  from: { path: from },
  to: { path: '^(shared|language|protocol|master|minion|test|tools|bench|demo)/', pathNot: to },
});

module.exports = {
  forbidden: [
    { name: 'no-cycles', severity: 'error', from: {}, to: { circular: true } },
    {
      name: 'nothing-imports-tests',
      severity: 'error',
      from: { pathNot: '^(test|demo|bench|tools)/' },
      to: { path: '^(test|demo|bench|tools)/' },
    },
    only('shared-stands-alone', '^shared/', '^shared/'),
    only('language-is-pure', '^language/', '^(shared|language)/'),
    only('protocol-is-the-wire', '^protocol/', '^(shared|protocol)/'),
    only(
      'master-enters-the-minion-by-one-door',
      '^master/',
      '^(shared|language|protocol|master)/|^minion/state-types/index\\.ts$',
    ),
    only('minion-knows-no-master', '^minion/', '^(shared|language|protocol|minion)/'),
    only(
      'state-types-see-only-the-host',
      '^minion/state-types/',
      '^shared/|^minion/state-types/|^minion/host/host\\.ts$|^minion/engine/state-type\\.ts$',
    ),
    only(
      'the-engine-is-handed-its-state-types',
      '^minion/engine/',
      '^(shared|language|protocol)/|^minion/(engine|host)/',
    ),
    {
      name: 'language-touches-no-host',
      severity: 'error',
      from: { path: '^language/', pathNot: '^language/source\\.ts$' },
      to: { path: '^(node:)?(fs|fs/promises|net|http|https|child_process|os|dns)$' },
    },
    {
      name: 'agent-stays-small',
      severity: 'error',
      from: { path: '^minion/agent/' },
      to: {
        path: '^minion/(state-types|engine|run)/|node_modules/(zod|handlebars|execa|js-yaml)/',
        dependencyTypesNot: ['type-only'],
      },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '^(build|dist|demo/app|test/tree/broken|test/state-types|states)/' },
    parser: 'swc',
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
  },
};
