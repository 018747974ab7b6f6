import test from 'ava';
import type { Declaration } from '../../../language/declaration.ts';
import { defineState } from '../../../minion/engine/state-type.ts';
import type { StateType } from '../../../minion/engine/state-type.ts';
import type { Host, HostView } from '../../../minion/host/host.ts';
import { directed, followed } from '../../../minion/engine/kept-files.ts';
import { fileAbsent } from '../../../minion/state-types/files/file-absent.ts';
import { fileDirectory } from '../../../minion/state-types/files/file-directory.ts';
import { fileHardlink } from '../../../minion/state-types/files/file-hardlink.ts';
import { fileRename } from '../../../minion/state-types/files/file-rename.ts';
import { fileSymlink } from '../../../minion/state-types/files/file-symlink.ts';
import { z } from 'zod';
import { fakeHost } from '../../helpers/fake-host.ts';
import type { FakeHost, HostState } from '../../helpers/fake-host.ts';
import { cannot, declare, newDirectory, run, toyWorld } from '../../helpers/toy-world.ts';

/** What states take away, move or link is put back for a service that does not come up, or all of it stays. */

const valued = z.strictObject({ name: z.string(), value: z.string() });

/** As an edit does, it follows links. */
const written = defineState<z.infer<typeof valued>, { content: string }>({
  name: 'toy.file',
  example: '',
  schema: valued,
  provides: ({ name }) => [`path:${name}`],
  async read({ name }, host) {
    const bytes = await host.readFile(name);
    return bytes === null ? null : { content: Buffer.from(bytes).toString() };
  },
  want: ({ value }) => ({ content: value }),
  async apply(_change, { name, value }, host) {
    await host.writeFile((await host.readLink(name)) ?? name, value);
  },
});

/** Comes up if this says so of the host. */
function service(isFine: (host: HostView) => Promise<boolean>): StateType {
  const restart = async (_args: unknown, host: Host): Promise<string> => {
    await host.run(['restart']);
    if (!(await isFine(host))) throw cannot('restart');
    return 'restarted';
  };
  return defineState<z.infer<typeof valued>, Record<string, never>>({
    name: 'toy.service',
    example: '',
    schema: valued,
    read: () => Promise.resolve({}),
    want: () => ({}),
    apply: () => Promise.resolve(),
    react: restart,
    bringBack: restart,
  });
}

const FILES = [fileAbsent, fileDirectory, fileHardlink, fileRename, fileSymlink];

async function runOn(
  host: FakeHost,
  states: readonly Declaration[],
  isFine: (host: HostView) => Promise<boolean>,
) {
  const types = new Map([written, service(isFine), ...FILES].map((type) => [type.name, type]));
  const watch = states.map(({ key }) => key);
  const watching = declare('service', { type: 'toy.service', requires: { watch } });
  const hosts = { within: () => host };
  const options = { world: toyWorld(), types, hosts, directory: newDirectory() };
  const { outcome } = await run([...states, watching], options);
  return { said: outcome('service').error?.message ?? '', host };
}

const hostWith = ({ statuses, ...state }: HostState): FakeHost =>
  fakeHost({
    ...state,
    statuses: { '/etc': { kind: 'directory' }, ...statuses },
    commands: {
      restart: '',
      'stat --dereference --format=%d -- /etc /etc': '1\n1\n',
      'stat --dereference --format=%d -- / /': '1\n1\n',
    },
  });

const there = (path: string) => async (host: HostView) => (await host.status(path)) !== null;

function state(type: string, args: Readonly<Record<string, unknown>>): Declaration {
  const id = String(args['name']);
  const known = [...FILES, written].find(({ name }) => name === type);
  return declare(id, { type, args: known?.schema.parse(args) });
}

test('a file that was renamed is in its old place again', async (t) => {
  const host = hostWith({ files: { '/etc/c': 'the only copy' } });
  const moved = state('file.rename', { name: '/etc/d', source: '/etc/c' });
  const { said } = await runOn(host, [moved], there('/etc/c'));
  t.regex(said, /the old "\/etc\/c" is back and the new "\/etc\/d" is gone, and it is up on that/u);
  t.is(host.text('/etc/c'), 'the only copy');
  t.is(host.text('/etc/d'), null);
  const [back, away] = ['writeFile /etc/c', 'remove /etc/d'].map((what) => host.ran.indexOf(what));
  t.true(back !== undefined && away !== undefined && back < away, 'it is in one of them always');
});

test('what cannot be put back as a whole stays, and that is told', async (t) => {
  const large = { '/etc/c': new Uint8Array(5 * 1024 * 1024) };
  const host = hostWith({
    files: { ...large, '/conf': 'old' },
    statuses: { '/etc/c': { kind: 'file', size: 5 * 1024 * 1024 } },
  });
  const moved = state('file.rename', { name: '/etc/d', source: '/etc/c' });
  const changed = state('toy.file', { name: '/conf', value: 'new' });
  const isOld = async (): Promise<boolean> => host.text('/conf') === 'old';
  const { said } = await runOn(host, [moved, changed], isOld);
  t.regex(
    said,
    /the old "\/conf" is back, and it is up on that again; what "\/etc\/d" changed stays$/u,
  );
  t.is((await host.status('/etc/d'))?.kind, 'file');
});

test('a file that was taken away is there again', async (t) => {
  const host = hostWith({
    files: { '/etc/b': 'needed' },
    statuses: { '/etc/b': { kind: 'file', mode: '0640', user: 'deploy', links: 1 } },
  });
  const { said } = await runOn(host, [state('file.absent', { name: '/etc/b' })], there('/etc/b'));
  t.regex(said, /the old "\/etc\/b" is back, and it is up on that again$/u);
  t.is(host.text('/etc/b'), 'needed');
  t.like(await host.status('/etc/b'), { mode: '0640', user: 'deploy' });
});

test('so is what did not belong into a directory, if all of that were files', async (t) => {
  for (const [more, expected] of [
    [{}, 'needed'],
    [{ '/etc/x/sub/file': 'in a directory' }, null],
  ] as const) {
    const host = hostWith({
      files: { '/etc/x/a': 'needed', ...more },
      statuses: {
        '/etc/x': { kind: 'directory' },
        ...('/etc/x/sub/file' in more ? { '/etc/x/sub': { kind: 'directory' } } : {}),
      },
    });
    const cleaned = state('file.directory', { name: '/etc/x', clean: true });
    const { said } = await runOn(host, [cleaned], there('/etc/x/a'));
    t.is(host.text('/etc/x/a'), expected, said);
  }
});

test('a link leads again to where it led; what a link leads to is put back in its place', async (t) => {
  const host = hostWith({
    files: { '/v1': 'one', '/v2': 'two', '/real': 'old' },
    links: { '/current': '/v1', '/conf': '/real' },
  });
  const linked = state('file.symlink', { name: '/current', target: '/v2' });
  const edited = state('toy.file', { name: '/conf', value: 'new' });
  const isOld = async (): Promise<boolean> =>
    host.text('/real') === 'old' && (await host.readLink('/current')) === '/v1';
  const { said } = await runOn(host, [linked, edited], isOld);
  t.regex(said, /the old "\/current", "\/real" are back, and it is up on that again$/u);
  t.is(await host.readLink('/conf'), '/real');
});

test('a link that took the place of a file gives it back, and a new one goes', async (t) => {
  const host = hostWith({ files: { '/conf': 'by hand', '/v2': 'two' } });
  const forced = state('file.symlink', { name: '/conf', target: '/v2', force: true });
  const added = state('file.symlink', { name: '/enabled', target: '/v2' });
  const { said } = await runOn(
    host,
    [forced, added],
    async () => host.text('/conf') === 'by hand' && (await host.status('/enabled')) === null,
  );
  t.regex(said, /the old "\/conf" is back and the new "\/enabled" is gone/u);
  t.is((await host.status('/conf'))?.kind, 'file');
});

test('a file that became another name of one is a file of its own again', async (t) => {
  const host = hostWith({
    files: { '/conf': 'own', '/shared': 'shared' },
    statuses: { '/shared': { kind: 'file', links: 2, inode: '7' } },
  });
  const linked = state('file.hardlink', { name: '/conf', target: '/shared', force: true });
  const { said } = await runOn(host, [linked], async () => host.text('/conf') === 'own');
  t.regex(said, /the old "\/conf" is back, and it is up on that again$/u);
  t.is(host.text('/shared'), 'shared', 'nobody has written through the other name');
});

test('of several changes of one file the state before the first comes back', async (t) => {
  const host = hostWith({ files: { '/conf': 'old' } });
  const first = state('toy.file', { name: '/conf', value: 'new' });
  const second = { ...state('toy.file', { name: '/conf', value: 'newer' }), key: 'second' };
  const { said } = await runOn(host, [first, second], async () => host.text('/conf') === 'old');
  t.regex(said, /the old "\/conf" is back, and it is up on that again$/u);
});

test('what brings itself up with a change of its own gets the old files back as well', async (t) => {
  const host = hostWith({ files: { '/conf': 'old' } });
  let defined = 'one';
  const restart = async (): Promise<void> => {
    await host.run(['restart']);
    if (host.text('/conf') !== 'old') throw cannot('restart');
  };
  const program = defineState<z.infer<typeof valued>, { defined: string }>({
    name: 'toy.program',
    example: '',
    schema: valued,
    read: () => Promise.resolve({ defined }),
    want: () => ({ defined: 'two' }),
    async apply() {
      defined = 'two';
      await restart().catch((error: unknown) => {
        defined = 'one';
        throw error;
      });
    },
    react: () => Promise.resolve('restarted'),
    bringBack: restart,
  });
  const types = new Map([written, program].map((type) => [type.name, type]));
  const changed = state('toy.file', { name: '/conf', value: 'new' });
  const watching = declare('program', { type: 'toy.program', requires: { watch: ['/conf'] } });
  const hosts = { within: () => host };
  const { outcome } = await run([changed, watching], { world: toyWorld(), types, hosts });
  t.regex(outcome('program').error?.message ?? '', /the old "\/conf" is back, and it is up/u);
  t.deepEqual([defined, host.text('/conf')], ['one', 'old'], 'as it was, and no mixture');
});

test('a file is kept where it is, whatever links led to it', async (t) => {
  const links = { '/srv/current': '../srv/v1', '/alias': '/srv/current/conf', '/round': 'round' };
  const host = fakeHost({ links });
  const place = async (path: string): Promise<string> => directed(path, host);
  t.is(await place('/srv/current/conf/app'), '/srv/v1/conf/app');
  t.is(await place('/alias/./app'), '/srv/v1/conf/app');
  t.is(await place('/srv/current'), '/srv/current', 'the last part is the place itself');
  t.is(await place('/'), '/');
  t.is(await place('/round/app'), '/round/app');
  t.deepEqual(await followed(['/alias'], host), ['/alias', '/srv/v1/conf']);
});
