import test from 'ava';
import { readFileSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { placeFiles } from '../../../minion/engine/kept-files.ts';
import { defineState } from '../../../minion/engine/state-type.ts';
import type { StateType } from '../../../minion/engine/state-type.ts';
import type { Host } from '../../../minion/host/host.ts';
import { ConductorError } from '../../../shared/errors.ts';
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

/** Cares only for a part of the file. */
const partly = defineState<z.infer<typeof file>, { content: string }>({
  name: 'toy.part',
  example: '',
  schema: file,
  provides: ({ name }) => [`path:${name}`],
  want: ({ value }) => ({ content: value }),
  apply: async (_change, { name, value }, host) => host.writeFile(name, value),
  async read({ name, value }, host) {
    const text = Buffer.from((await host.readFile(name)) ?? []).toString();
    return { content: text.includes(value) ? value : '' };
  },
});

/** Its configuration is `/conf` with what is in `/conf.d`: it fails on whatever holds the word. */
const service = (failing: RegExp): StateType =>
  defineState<z.infer<typeof file>, Record<string, never>>({
    name: 'toy.service',
    example: '',
    schema: file,
    read: () => Promise.resolve({}),
    want: () => ({}),
    apply: () => Promise.resolve(),
    react: async (_args, host) => restart(failing, host),
    bringBack: async (_args, host) => restart(failing, host),
  });

async function restart(failing: RegExp, host: Host): Promise<string> {
  await host.run(['restart']);
  for (const path of ['/conf', '/conf.d/more']) {
    const bytes = await host.readFile(path);
    if (failing.test(Buffer.from(bytes ?? []).toString())) throw cannot('restart');
  }
  return 'restarted';
}

interface Setting {
  readonly host: FakeHost;
  readonly failing?: RegExp;
  readonly directory?: string;
  readonly more?: readonly ReturnType<typeof declare>[];
  readonly first?: ReturnType<typeof declare>;
  /** Between the files and the service. */
  readonly before?: readonly ReturnType<typeof declare>[];
  /** Of the second file only a part is managed. */
  readonly isPartly?: boolean;
  readonly signal?: AbortSignal;
  readonly patienceMs?: number;
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
  first = conf,
  before = [],
  isPartly = false,
  ...options
}: Setting) {
  const types = new Map([configured, partly, service(failing)].map((type) => [type.name, type]));
  const second = isPartly ? declare('/conf.d/more', { type: 'toy.part' }) : more;
  const catalog = [first, second, ...before, watching, ...others];
  const hosts = { within: () => host };
  return run(catalog, { world: toyWorld(), types, hosts, directory, ...options });
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
      'Cannot restart: the test says so; the old "/conf" is back and the new "/conf.d/more" is gone, and it is up on that again',
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

test('what was taken back is what the tree asks for, and no drift, when the next run does it again', async (t) => {
  const host = withOld();
  const directory = newDirectory();
  const fine = declare('/conf', { type: 'toy.file', value: 'fine' });
  const bad = declare('/conf', { type: 'toy.file', value: 'bad' });
  await runOn({ host, directory, failing: /never/u, first: fine });
  for (const when of ['first', 'again']) {
    const { outcome } = await runOn({ host, directory, failing: /bad/u, first: bad });
    t.is(outcome('service').status, 'failed');
    t.is(host.text('/conf'), 'fine');
    t.deepEqual(outcome('/conf').origin, { kind: 'intended' }, when);
  }
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

/** A run that is killed when the service is to be restarted. */
async function killed(host: FakeHost, directory: string): Promise<void> {
  const deaf: FakeHost = {
    ...host,
    run: () => Promise.reject(new Error('the process is gone')),
  };
  const { outcome } = await runOn({ host: deaf, directory });
  if (outcome('service').status !== 'failed') throw new Error('it was not killed');
}

test('a service that was down and does not start on new files is started on the old ones', async (t) => {
  const host = withOld();
  let isUp = false;
  const start = async (): Promise<void> => {
    await host.run(['restart']);
    isUp = host.text('/conf') === 'old';
    if (!isUp) throw cannot('start');
  };
  const down = defineState<z.infer<typeof file>, { up: boolean }>({
    name: 'toy.service',
    example: '',
    schema: file,
    read: () => Promise.resolve({ up: isUp }),
    want: () => ({ up: true }),
    apply: start,
    answers: () => true,
    bringBack: start,
    react: async () => {
      await start();
      return 'restarted';
    },
  });
  const types = new Map([configured, down].map((type) => [type.name, type]));
  const hosts = { within: () => host };
  const { outcome } = await run([conf, more, watching], { world: toyWorld(), types, hosts });
  t.true(isUp);
  t.regex(outcome('service').error?.message ?? '', /^Cannot start: .*the old "\/conf" is back/u);
});

test('killed between the write and the restart, the next run puts the old files back', async (t) => {
  const host = withOld();
  const directory = newDirectory();
  await killed(host, directory);
  t.is(host.text('/conf'), 'new');
  const kept = readdirSync(join(directory, 'keeps'));
  t.is(kept.length, 2);
  for (const name of kept) {
    t.is(statSync(join(directory, 'keeps', name)).mode & 0o777, 0o600);
    t.notRegex(readFileSync(join(directory, 'keeps', name), 'latin1'), /old|conf/u);
  }

  const next = await runOn({ host, directory });
  t.deepEqual(next.statuses, ['/conf: unchanged', '/conf.d/more: unchanged', 'service: failed']);
  t.regex(
    next.outcome('service').error?.message ?? '',
    /the old "\/conf" is back and .*, and it is up/u,
  );
  t.is(host.text('/conf'), 'old');
  t.is(host.text('/conf.d/more'), null);
  t.deepEqual(next.journal.all(), []);
  t.deepEqual(readdirSync(join(directory, 'keeps')), [], 'nobody needs them any more');
});

test('a service that comes up in the next run has no need of the old files', async (t) => {
  const host = withOld();
  const directory = newDirectory();
  await killed(host, directory);
  const next = await runOn({ host, directory, failing: /never/u });
  t.regex(next.outcome('service').reaction ?? '', /^restarted \(owed since/u);
  t.is(host.text('/conf'), 'new');
  t.deepEqual(readdirSync(join(directory, 'keeps')), []);
});

test('old files on which it does not come up either are not tried again and again', async (t) => {
  const host = withOld();
  const directory = newDirectory();
  await killed(host, directory);
  const next = await runOn({ host, directory, failing: /new|old/u });
  t.regex(next.outcome('service').error?.message ?? '', /so the new stays/u);
  t.deepEqual(readdirSync(join(directory, 'keeps')), []);
  const last = await runOn({ host, directory });
  t.is(last.outcome('service').error?.message, 'Cannot restart: the test says so');
  t.is(host.text('/conf'), 'new');
});

test('of two runs that were killed the first one knows what the service was up on', async (t) => {
  const host = withOld();
  const directory = newDirectory();
  await killed(host, directory);
  await killed(host, directory);
  const next = await runOn({ host, directory });
  t.is(next.outcome('service').status, 'failed');
  t.is(host.text('/conf'), 'old');
});

test('what somebody has edited since is not put back, nor is anything with it', async (t) => {
  const host = withOld();
  const directory = newDirectory();
  await killed(host, directory);
  await host.writeFile('/conf.d/more', 'new and more by hand');
  const next = await runOn({ host, directory, isPartly: true });
  t.is(
    next.outcome('service').error?.message,
    'Cannot restart: the test says so; "/conf.d/more" has been changed since, so nothing is put back',
  );
  t.is(host.text('/conf'), 'new');
  t.is(host.text('/conf.d/more'), 'new and more by hand');
  t.deepEqual(readdirSync(join(directory, 'keeps')), []);
});

test('what a state that nobody watches adds to a file is no edit of somebody else', async (t) => {
  const host = withOld();
  const directory = newDirectory();
  const adding = declare('adding', { type: 'toy.file', args: { name: '/conf', value: 'new too' } });
  const { outcome } = await runOn({ host, directory, before: [adding] });
  t.regex(
    outcome('service').error?.message ?? '',
    /the old "\/conf" is back and .*, and it is up/u,
  );
  t.is(host.text('/conf'), 'old');
});

test('nor is what the tree asks for by now', async (t) => {
  const host = withOld();
  const directory = newDirectory();
  await killed(host, directory);
  const newer = declare('/conf', { type: 'toy.file', value: 'newer' });
  const next = await runOn({ host, directory, first: newer });
  t.regex(
    next.outcome('service').error?.message ?? '',
    /the old "\/conf" is back and .*, and it is up/u,
  );
  t.is(host.text('/conf'), 'old');
});

test('an edit that the tree overwrites is what a service that does not come up gets back', async (t) => {
  const host = withOld();
  const directory = newDirectory();
  await killed(host, directory);
  await host.writeFile('/conf', 'by hand');
  const next = await runOn({ host, directory });
  t.is(next.outcome('service').status, 'failed');
  t.is(host.text('/conf'), 'by hand');
  t.is(host.text('/conf.d/more'), null);
});

test('what cannot be opened any more is put aside, and the new files stay', async (t) => {
  const host = withOld();
  const directory = newDirectory();
  await killed(host, directory);
  for (const name of readdirSync(join(directory, 'keeps')))
    writeFileSync(join(directory, 'keeps', name), 'damaged');
  const next = await runOn({ host, directory });
  t.is(next.outcome('service').error?.message, 'Cannot restart: the test says so');
  t.is(host.text('/conf'), 'new');
  const left = readdirSync(join(directory, 'keeps'));
  t.true(left.length === 2 && left.every((name) => name.includes('.corrupt-')));
});

/** What stands there is a directory, as a state that makes one sees it. */
const made = defineState<{ name: string; value: string }, { kind: string }>({
  name: 'toy.directory',
  example: '',
  schema: file,
  provides: ({ name }) => [`path:${name}`],
  async read({ name }, host) {
    const status = await host.status(name);
    return status === null ? null : { kind: status.kind };
  },
  want: () => ({ kind: 'directory' }),
  apply: async (_change, { name }, host) => host.makeDirectory(name),
});

const blocked = defineState<z.infer<typeof file>, Record<string, never>>({
  name: 'toy.blocked',
  example: '',
  schema: file,
  read: () => Promise.reject(cannot('do it')),
  want: () => ({}),
  apply: () => Promise.resolve(),
});

const srv = declare('/srv/app', { type: 'toy.directory' });

async function runWithDirectory(
  host: FakeHost,
  directory: string,
  { isBlocked = false, watch = ['/srv/app'], failing = /new/u } = {},
) {
  const all = [configured, made, service(failing), ...(isBlocked ? [blocked] : [])];
  const types = new Map(all.map((type) => [type.name, type]));
  const require = isBlocked ? ['block'] : [];
  const block = isBlocked ? [declare('block', { type: 'toy.blocked' })] : [];
  const needing = declare('service', { type: 'toy.service', requires: { watch, require } });
  const hosts = { within: () => host };
  const catalog = [srv, conf, ...block, needing];
  return run(catalog, { world: toyWorld(), types, hosts, directory });
}

test('a directory that was not there before is not taken away with what is in it by now', async (t) => {
  const host = withOld();
  const directory = newDirectory();
  const first = await runWithDirectory(host, directory, { isBlocked: true });
  t.is(first.outcome('service').status, 'skipped');
  await host.writeFile('/srv/app/uploads', 'of three weeks');
  const next = await runWithDirectory(host, directory);
  t.is(next.outcome('service').error?.message, 'Cannot restart: the test says so');
  t.is(host.text('/srv/app/uploads'), 'of three weeks');
  t.is((await host.status('/srv/app'))?.kind, 'directory');
});

test('nor is one that takes the place of a file while it is put back', async (t) => {
  const host = fakeHost({ statuses: { '/srv/app': { kind: 'directory' } } });
  const owned = { mode: '0644', user: 'root', group: 'root' };
  await placeFiles([{ path: '/srv/app', content: null, ...owned }], host);
  t.deepEqual(host.ran, []);
});

test('nor with the files that are put back, whether or not it comes up on these', async (t) => {
  for (const [failing, words] of [
    [/new/u, 'the old "/conf" is back, and it is up on that again; what "/srv/app" changed stays'],
    [/new|old/u, 'it does not come up on the old "/conf" either, so the new stays'],
  ] as const) {
    const host = withOld();
    const watch = ['/srv/app', '/conf'];
    const { outcome } = await runWithDirectory(host, newDirectory(), { watch, failing });
    t.true(outcome('service').error?.message.includes(words), outcome('service').error?.message);
    t.is((await host.status('/srv/app'))?.kind, 'directory');
  }
});

test('a roll-back that is cut short is done by the next run', async (t) => {
  const host = withOld();
  const directory = newDirectory();
  const ending = new AbortController();
  let restarts = 0;
  const stopped: FakeHost = {
    ...host,
    run: async (...args) => {
      restarts += 1;
      if (restarts < 2) return host.run(...args);
      ending.abort(new ConductorError('CANCELLED', 'the run was told to end by the host'));
      throw ending.signal.reason;
    },
  };
  const cut = await runOn({ host: stopped, directory, signal: ending.signal });
  t.is(
    cut.outcome('service').error?.message,
    'Cannot restart: the test says so; going back to the old "/conf", "/conf.d/more" was cut short, and the next run does it: the run was told to end by the host',
  );
  t.is(restarts, 2);
  t.not(cut.journal.all().length, 0);

  const next = await runOn({ host, directory });
  t.regex(
    next.outcome('service').error?.message ?? '',
    /the old "\/conf" is back and .*, and it is/u,
  );
  t.deepEqual([host.text('/conf'), host.text('/conf.d/more')], ['old', null]);
});

test('so is one in which the service goes on though it was told to stop', async (t) => {
  const host = withOld();
  const directory = newDirectory();
  const ending = new AbortController();
  let restarts = 0;
  const hanging: FakeHost = {
    ...host,
    async run(...args) {
      restarts += 1;
      if (restarts < 2) return host.run(...args);
      ending.abort(new ConductorError('CANCELLED', 'the run was cancelled'));
      return new Promise(() => undefined);
    },
  };
  const { signal } = ending;
  const first = await runOn({ host: hanging, directory, signal, patienceMs: 10 });
  t.regex(first.outcome('service').error?.message ?? '', /cut short, .*: Cannot end "service"/u);
  const next = await runOn({ host, directory });
  t.regex(
    next.outcome('service').error?.message ?? '',
    /the old "\/conf" is back and .*, and it is/u,
  );
});

const twoOld = (): FakeHost =>
  fakeHost({ files: { '/conf': 'old', '/conf.d/more': 'old' }, commands: { restart: '' } });

/** Fails to write what this says. */
function unwritable(host: FakeHost, isUnwritable: (path: string, content: string) => boolean) {
  const writeFile: FakeHost['writeFile'] = async (path, content, ...rest) => {
    if (isUnwritable(path, Buffer.from(content).toString()))
      throw new ConductorError('HOST_FILE_FAILED', `Cannot write "${path}": the disk is full`);
    return host.writeFile(path, content, ...rest);
  };
  return { ...host, writeFile };
}

test('old files that cannot all be put back leave the new ones, and the next run does it', async (t) => {
  const host = twoOld();
  const directory = newDirectory();
  const full = unwritable(host, (path, content) => path === '/conf.d/more' && content === 'old');
  const { outcome } = await runOn({ host: full, directory });
  t.is(
    outcome('service').error?.message,
    'Cannot restart: the test says so; the old "/conf", "/conf.d/more" cannot be put back, so the new stays: Cannot write "/conf.d/more": the disk is full',
  );
  t.deepEqual([host.text('/conf'), host.text('/conf.d/more')], ['new', 'new']);
  await runOn({ host, directory });
  t.deepEqual([host.text('/conf'), host.text('/conf.d/more')], ['old', 'old']);
});

test('where the new ones cannot be put back either it is told which stay the old', async (t) => {
  const host = twoOld();
  let isFull = false;
  const full = unwritable(host, (path, content) => {
    isFull ||= path === '/conf.d/more' && content === 'old';
    return isFull;
  });
  const { outcome } = await runOn({ host: full });
  t.regex(
    outcome('service').error?.message ?? '',
    /cannot be put back, nor can the new be put back at "\/conf", where the old stays: .*"\/conf.d\/more".* full; .*"\/conf": .* full$/u,
  );
  t.deepEqual([host.text('/conf'), host.text('/conf.d/more')], ['old', 'new']);
});
