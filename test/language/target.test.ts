import test from 'ava';
import fc from 'fast-check';
import { ConductorError } from '../../shared/errors.ts';
import { isInNetwork, parseNetwork } from '../../language/values/cidr.ts';
import { globMatcher, isGlob } from '../../language/values/glob.ts';
import { namesAddressed, needLine } from '../../language/targets/addressed.ts';
import { couldMatch } from '../../language/targets/target-possible.ts';
import { showTarget } from '../../language/targets/target-text.ts';
import { targetTokens } from '../../language/targets/target-tokens.ts';
import { matches, parseTarget, type Target } from '../../language/target.ts';
import { Secret } from '../../shared/secret.ts';
import { treeOf } from '../helpers/tree.ts';

const web1 = {
  id: 'web1',
  groups: ['appserver'],
  facts: {
    os: 'Debian',
    virtual: 'kvm',
    cpus: 4,
    addresses: ['10.1.2.3/16', 'fd00::7'],
    python: ['3.11', '3.12'],
    disk: { free: 7 },
  },
  pillar: { role: 'front end', secret: new Secret('x') },
};

for (const [text, expected] of [
  ['web1', true],
  ['appserver', true],
  ['web', false],
  ['*', true],
  ['web*', true],
  ['web[0-9]', true],
  ['web[!0-9]', false],
  ['app*', false],
  ['?eb1', true],
  ['[db1, web1]', true],
  ['[db1, db2]', false],
  ['[]', false],
  ['re:web\\d', true],
  ['re:eb', false],
  ['facts.os:Deb*', true],
  ['facts.os:Ubuntu', false],
  ['facts.cpus:4', true],
  ['facts.python:3.12', true],
  ['facts.disk.free:7', true],
  ['facts.nothing:*', false],
  ['pillar.role:front*', true],
  ['"pillar.role:front end"', true],
  ['pillar.secret:*', false],
  ['net:10.0.0.0/8', true],
  ['net:10.2.0.0/16', false],
  ['net:fd00::/8', true],
  ['web* and not facts.virtual:container', true],
  ['not web1 or appserver', true],
  ['not (web1 or appserver)', false],
  ['db1 or web1 and facts.os:Ubuntu', false],
  ['not not web1', true],
] as const) {
  test(`"${text}" ${expected ? 'means' : 'does not mean'} web1`, (t) => {
    const target = parseTarget(text);
    t.is(matches(target, web1), expected);
    t.deepEqual(parseTarget(showTarget(target)), target);
  });
}

for (const [text, why, column] of [
  ['', 'a target is missing', 1],
  ['web1 web2', 'put "and" or "or" between two targets', 6],
  ['web1 and', 'a target is missing', 9],
  ['(web1', 'a ")" is missing', 6],
  ['[web1 web2]', 'a "]" is missing', 7],
  ['fact.os:Debian', '"fact.os:Debian" is not understood, did you mean "facts"?', 1],
  [
    'G@os:Debian',
    '"G@os:Debian" is not understood: write facts.KEY:GLOB, pillar.KEY:GLOB, re:PATTERN or net:CIDR',
    1,
  ],
  ['web1 or net:10.0.0.0/33', '"10.0.0.0/33" is no network, such as 10.0.0.0/8', 9],
  ['web_1!', '"web_1!" is no name', 1],
  [
    'facts.os:',
    '"facts.os:" is not understood: write facts.KEY:GLOB, pillar.KEY:GLOB, re:PATTERN or net:CIDR',
    1,
  ],
] as const) {
  test(`"${text}" is refused with its column`, (t) => {
    const error = t.throws(() => parseTarget(text), { instanceOf: ConductorError });
    t.is(error.code, 'TARGET_INVALID');
    t.is(error.message, `Cannot read target "${text}": ${why}`);
    t.is(error.details['column'], column);
  });
}

test('a pattern that is none is refused', (t) => {
  t.throws(() => parseTarget('re:('), { code: 'TARGET_INVALID' });
  t.throws(() => parseTarget(`${'('.repeat(200)}a`), { message: /nested too deeply/u });
});

test('a pillar that cannot be asked for is no silent "no"', (t) => {
  const { pillar: _, ...known } = web1;
  t.throws(() => matches(parseTarget('not pillar.role:x'), known), { code: 'TARGET_INVALID' });
});

test('what may match counts where the pillar is not known', (t) => {
  const { pillar: _, ...known } = web1;
  const could = (text: string) => couldMatch(parseTarget(text), known);
  t.true(could('pillar.role:x'));
  t.true(could('not pillar.role:x'));
  t.true(could('web1 and not pillar.role:x'));
  t.false(could('db1 and pillar.role:x'));
  t.false(could('not web1 and pillar.role:x'));
  t.false(could('not (web1 or pillar.role:x)'));
  t.true(could('not (db1 and pillar.role:x)'));
  t.true(could('[db1, pillar.role:x]'));
});

const word = fc
  .stringMatching(/^[a-z0-9][a-z0-9._-]{0,8}$/u)
  .filter((name) => !['and', 'or', 'not'].includes(name));
const leaf: fc.Arbitrary<Target> = fc.oneof(
  word.map((name) => ({ kind: 'name' as const, name })),
  word.map((name) => ({ kind: 'glob' as const, pattern: `${name}*` })),
  word.map((name) => ({ kind: 'regex' as const, source: `${name} .*` })),
  fc
    .tuple(word, fc.stringMatching(/^[^\n\\]{1,9}$/u))
    .map(([key, glob]) => ({ kind: 'facts' as const, key, glob })),
  fc.constant({ kind: 'net' as const, cidr: '10.0.0.0/8' }),
);
const { target: anyTarget } = fc.letrec<{ target: Target }>((tie) => ({
  target: fc.oneof(
    { depthSize: 'small' },
    leaf,
    fc.record({
      kind: fc.constantFrom('and' as const, 'or' as const),
      of: fc.array(tie('target'), { minLength: 2, maxLength: 3 }),
    }),
    fc.record({
      kind: fc.constant('list' as const),
      of: fc.array(tie('target'), { maxLength: 3 }),
    }),
    fc.record({ kind: fc.constant('not' as const), of: tie('target') }),
  ),
}));

test('a target that is printed reads as itself', (t) => {
  fc.assert(
    fc.property(anyTarget, (target) => {
      t.deepEqual(parseTarget(showTarget(target)), target);
    }),
  );
});

test('reading fails only with a ConductorError, whatever the text', (t) => {
  const pieces = fc.constantFrom(
    'web',
    ' ',
    'and',
    'or',
    'not',
    '(',
    ')',
    '[',
    ']',
    ',',
    '*',
    'facts.',
    ':',
    're:',
    'net:',
    '"',
    '\\',
    '@',
    '10.0.0.0/8',
  );
  fc.assert(
    fc.property(
      fc.oneof(
        fc.string(),
        fc.array(pieces).map((parts) => parts.join('')),
      ),
      (text) => {
        try {
          t.is(typeof matches(parseTarget(text), web1), 'boolean');
        } catch (error) {
          t.true(error instanceof ConductorError, text);
        }
      },
    ),
    { numRuns: 1000 },
  );
});

test('words, punctuation and columns are told apart', (t) => {
  t.deepEqual(targetTokens('a and (b)'), [
    { kind: 'word', word: 'a', column: 1 },
    { kind: 'and', column: 3 },
    { kind: '(', column: 7 },
    { kind: 'word', word: 'b', column: 8 },
    { kind: ')', column: 9 },
  ]);
});

test('globs match whole texts, and their letters mean themselves', (t) => {
  t.true(globMatcher('a.b*')('a.bc'));
  t.false(globMatcher('a.b*')('axbc'));
  t.true(globMatcher('/etc/[a-c]?/*.conf')('/etc/bx/a/b.conf'));
  t.true(globMatcher('[')('['));
  t.true(globMatcher('[]]')(']'));
  t.false(globMatcher('[z-a]')('b'));
  t.true(isGlob('a?') && !isGlob('a.b'));
});

test('a text without special letters matches itself alone as a glob', (t) => {
  fc.assert(
    fc.property(
      fc.string().filter((text) => !isGlob(text)),
      fc.string(),
      (text, other) => {
        t.true(globMatcher(text)(text));
        t.is(globMatcher(text)(other), text === other);
      },
    ),
  );
});

test('globs never fail', (t) => {
  const letters = fc.constantFrom('a', 'z', '-', '[', ']', '!', '^', '*', '?', '\\', '.', '}');
  fc.assert(
    fc.property(fc.array(letters), (pattern) => {
      t.is(typeof globMatcher(pattern.join(''))('az-'), 'boolean');
    }),
    { numRuns: 1000 },
  );
});

function holds(cidr: string, address: string): boolean | null {
  const network = parseNetwork(cidr);
  return network === null ? null : isInNetwork(address, network);
}

test('networks hold what shares their first bits', (t) => {
  t.true(holds('0.0.0.0/0', '255.255.255.255'));
  t.true(holds('192.168.1.7', '192.168.1.7'));
  t.false(holds('192.168.1.0/25', '192.168.1.128'));
  t.true(holds('::ffff:10.0.0.0/104', '::ffff:10.9.9.9'));
  t.true(holds('2001:db8::/32', '2001:db8:1::1%eth0'));
  t.false(holds('::/0', '1.2.3.4'));
  for (const none of [
    '',
    '10.0.0',
    '10.0.0.256',
    '1::2::3',
    '1:2:3:4:5:6:7:8:9',
    '10.0.0.0/8/8',
    '10.0.0.0/x',
    ':::',
    '1:2:3:4:5:6:7::8:9',
  ]) {
    t.is(parseNetwork(none), null, none);
  }
});

test('top files tell whom they are for, and which names they know', (t) => {
  const tree = treeOf({
    'states/top.yaml': 'base: {"web* and not (lab or [db1, facts.os:x])": [a], "app": []}\n',
    'pillars/top.sls': 'base: {vault: [b]}\n',
  });
  t.deepEqual([...(namesAddressed(tree) ?? [])], ['lab', 'db1', 'app', 'vault']);
  t.notThrows(() => needLine(tree, web1));
  const nothing = { ...web1, id: 'x', groups: ['app'] };
  t.notThrows(() => needLine(tree, nothing), 'though it gets nothing');
  t.throws(() => needLine(tree, { ...web1, groups: ['lab'] }), { code: 'NOTHING_DECLARED' });
  t.is(namesAddressed(treeOf({ 'states/top.yaml': 'base: {"a and": [b]}\n' })), null);
});

test('a glob takes no longer for a text that nearly fits, and a regular expression that would is ended', (t) => {
  const text = 'a'.repeat(5000);
  t.false(globMatcher(`${'*a'.repeat(30)}*b`)(text));
  t.true(globMatcher(`${'*a'.repeat(30)}*`)(text));
  t.true(globMatcher('*[!b]?')('\u{1F600}x'));
  const id = `${'a'.repeat(60)}-b`;
  const minion = { id, groups: [], facts: {} };
  t.throws(() => matches(parseTarget('re:(a+)+'), minion), {
    code: 'TARGET_INVALID',
    message: `Cannot read target "re:(a+)+": matching "${id}" takes longer than 1 s (nested repetitions such as (a+)+ do that)`,
  });
  t.true(matches(parseTarget('re:(a+|-b)+'), { ...minion, id: 'aa-b' }));
});
