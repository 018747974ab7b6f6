import test from 'ava';
import { z } from 'zod';
import { defineState } from '../../../minion/engine/state-type.ts';
import type { StateType } from '../../../minion/engine/state-type.ts';
import { fakeHost } from '../../helpers/fake-host.ts';
import type { FakeHost } from '../../helpers/fake-host.ts';
import { cannot, declare, newDirectory, run, toyWorld } from '../../helpers/toy-world.ts';

/** A service that comes up on some configurations only, and the files that it is configured by. */

const file = z.strictObject({ name: z.string(), value: z.string() });

const configured = defineState<z.infer<typeof file>, { content: string }>({
  name: 'toy.file',
  example: '',
  schema: file,
  provides: ({ name }) => [`path:${name}`, `other:${name}`],
  async read({ name }, host) {
    const bytes = await host.readFile(name);
    return bytes === null ? null : { content: Buffer.from(bytes).toString() };
  },
  want: ({ value }) => ({ content: value }),
  apply: async (_change, { name, value }, host) => host.writeFile(name, value),
});

/** Its configuration is `/conf` with what is in `/conf.d`: it fails on whatever holds the word. */
const service = (failing: RegExp): StateType =>
  defineState<z.infer<typeof file>, Record<string, never>>({
    name: 'toy.service',
    example: '',
    schema: file,
    restarts: true,
    read: () => Promise.resolve({}),
    want: () => ({}),
    apply: () => Promise.resolve(),
    async react(_args, host) {
      await host.run(['restart']);
      for (const path of ['/conf', '/conf.d/more']) {
        const bytes = await host.readFile(path);
        if (failing.test(Buffer.from(bytes ?? []).toString())) throw cannot('restart');
      }
      return 'restarted';
    },
  });

interface Setting {
  readonly host: FakeHost;
  readonly failing?: RegExp;
  readonly directory?: string;
  readonly more?: readonly ReturnType<typeof declare>[];
}

const conf = declare('/conf', { type: 'toy.file' });
const more = declare('/conf.d/more', { type: 'toy.file' });
const watching = declare('service', {
  type: 'toy.service',
  requires: { watch: ['/conf', '/conf.d/more'] },
});

async function runOn({
  host,
  failing = /new/u,
  directory = newDirectory(),
  more: others = [],
}: Setting) {
  const types = new Map([configured, service(failing)].map((type) => [type.name, type]));
  const catalog = [conf, more, watching, ...others];
  const hosts = { within: () => host };
  return run(catalog, { world: toyWorld(), types, hosts, directory });
}

const withOld = (): FakeHost => fakeHost({ files: { '/conf': 'old' }, commands: { restart: '' } });

test('a service that does not come up on new files gets the old ones back, and both are told', async (t) => {
  const host = withOld();
  const directory = newDirectory();
  const { statuses, outcome, journal } = await runOn({ host, directory });
  t.deepEqual(statuses, ['/conf: changed', '/conf.d/more: changed', 'service: failed']);
  t.is(host.text('/conf'), 'old');
  t.is(host.text('/conf.d/more'), null, 'what was not there is gone again');
  t.is(host.ran.filter((line) => line === 'restart').length, 2);
  t.like(outcome('service').error, {
    code: 'COMMAND_FAILED',
    message:
      'Cannot restart: the test says so; the old "/conf", "/conf.d/more" is back, and it is up on that again',
    output: 'boo',
  });
  t.deepEqual(journal.all(), [], 'it runs on what is there');

  const again = await runOn({ host, directory });
  t.is(
    again.outcome('service').status,
    'failed',
    'the tree still asks for it, and is told each time',
  );
  t.is(host.text('/conf'), 'old');
  const mended = await runOn({ host, directory, failing: /never/u });
  t.is(mended.outcome('service').reaction, 'restarted');
  t.is(host.text('/conf'), 'new');
});

test('what does not come up on the old files either keeps the new ones, and owes its reaction', async (t) => {
  const host = withOld();
  const { outcome, journal } = await runOn({ host, failing: /new|old/u });
  t.is(host.text('/conf'), 'new');
  t.is(host.text('/conf.d/more'), 'new');
  t.regex(outcome('service').error?.message ?? '', /not come up on the old .* either, so the new/u);
  t.deepEqual([...new Set(journal.all().map(({ key }) => key))], ['service']);
});

test('files that another state reacts to as well stay as they are', async (t) => {
  const host = withOld();
  const other = declare('other', {
    type: 'toy.service',
    requires: { watch: ['/conf', '/conf.d/more'] },
  });
  const { outcome } = await runOn({ host, more: [other] });
  t.is(host.text('/conf'), 'new');
  t.is(outcome('service').error?.message, 'Cannot restart: the test says so');
});

test('a listener at the end of a run gets the old files back too', async (t) => {
  const host = withOld();
  const types = new Map([configured, service(/new/u)].map((type) => [type.name, type]));
  const listening = declare('service', { type: 'toy.service', requires: { listen: ['/conf'] } });
  const hosts = { within: () => host };
  const { outcome } = await run([listening, conf], { world: toyWorld(), types, hosts });
  t.is(host.text('/conf'), 'old');
  t.regex(outcome('service').error?.message ?? '', /the old "\/conf" is back/u);
});
