import test from 'ava';
import type { ExecutionContext } from 'ava';
import type { Host } from '../../../minion/host/host.ts';
import { ConductorError } from '../../../shared/errors.ts';
import { replaceConfiguration } from '../../../minion/state-types/lib/staged.ts';
import { fakeHost } from '../../helpers/fake-host.ts';
import type { FakeHost } from '../../helpers/fake-host.ts';

/** A daemon that comes up on whatever does not say `bad`. */

const PATH = '/etc/daemon/conf';
const MARK = 'daemon';

function daemon(): FakeHost {
  return fakeHost({ files: { [PATH]: 'good' }, registry: { [MARK]: 'good' } });
}

async function replace(host: Host, content: string, took: string[] = []): Promise<void> {
  const take = async (): Promise<void> => {
    const text = Buffer.from((await host.readFile(PATH)) ?? []).toString();
    took.push(text);
    if (text.startsWith('bad')) throw new Error('it does not come up');
  };
  await replaceConfiguration(host, {
    what: 'the daemon',
    directory: '/etc/daemon',
    pieces: new Map([[PATH, { kind: 'file', content, mode: '0640' }]]),
    check: null,
    take,
    takeBack: take,
    mark: MARK,
    taken: content,
    pending: 'pending',
  });
}

async function gone(): Promise<never> {
  throw new Error('killed');
}

/** A run that is killed before the daemon is told of what it has placed. */
async function killedAfter(t: ExecutionContext, host: FakeHost, content: string): Promise<void> {
  const readFile: Host['readFile'] = async (path) => {
    // The first look at it is the snapshot, the second one the daemon's.
    if (host.text(path) === content) return gone();
    return host.readFile(path);
  };
  let placed = false;
  const writeFile: Host['writeFile'] = async (...args) => {
    if (placed) return gone();
    placed = true;
    return host.writeFile(...args);
  };
  await t.throwsAsync(replace({ ...host, readFile, writeFile }, content), { message: /killed/u });
}

const BACK =
  'Cannot configure the daemon: it does not come up; the old configuration is back and in use';

test('what a daemon does not come up on is put back', async (t) => {
  const host = daemon();
  const took: string[] = [];
  await t.throwsAsync(replace(host, 'bad', took), { code: 'CHECK_FAILED', message: BACK });
  t.deepEqual(took, ['bad', 'good']);
  t.deepEqual([host.text(PATH), await host.recall(MARK)], ['good', 'good']);
  t.is(await host.kept(MARK), null);
});

test('also by the run after one that was killed once it had placed that', async (t) => {
  const host = daemon();
  await killedAfter(t, host, 'bad');
  t.deepEqual([host.text(PATH), await host.recall(MARK)], ['bad', 'pending']);
  await t.throwsAsync(replace(host, 'bad'), { message: BACK });
  t.deepEqual([host.text(PATH), await host.recall(MARK)], ['good', 'good']);
  t.is(await host.kept(MARK), null);
});

test('and if the tree asks for something else by then', async (t) => {
  const host = daemon();
  await killedAfter(t, host, 'bad');
  await killedAfter(t, host, 'bad too');
  await t.throwsAsync(replace(host, 'bad as well'), { message: BACK });
  t.is(host.text(PATH), 'good');
  await killedAfter(t, host, 'bad');
  await replace(host, 'better');
  t.deepEqual([host.text(PATH), await host.recall(MARK)], ['better', 'better']);
  await t.throwsAsync(replace(host, 'bad'), { message: BACK });
  t.is(host.text(PATH), 'better');
});

test('what somebody has written since is not taken for what was placed', async (t) => {
  const host = daemon();
  await killedAfter(t, host, 'bad');
  await host.writeFile(PATH, 'by hand');
  await t.throwsAsync(replace(host, 'bad'), { message: BACK });
  t.is(host.text(PATH), 'by hand');
});

/** Has room for so many files more. */
function filling(host: FakeHost, room: number): Host {
  let left = room;
  return {
    ...host,
    async writeFile(path, ...rest) {
      if (left === 0) throw new ConductorError('HOST_FILE_FAILED', `Cannot write "${path}": full`);
      left -= 1;
      return host.writeFile(path, ...rest);
    },
  };
}

const SECOND = '/etc/daemon/second';

async function replaceTwo(host: Host): Promise<void> {
  const piece = { kind: 'file', content: 'new', mode: '0640' } as const;
  return replaceConfiguration(host, {
    what: 'the daemon',
    directory: '/etc/daemon',
    pieces: new Map([
      [PATH, piece],
      [SECOND, piece],
    ]),
    check: null,
    take: gone,
    takeBack: gone,
    mark: MARK,
    taken: 'new',
  });
}

test('where the second file cannot be written the first one is what it was, and the daemon is told nothing', async (t) => {
  const host = daemon();
  let writes = 0;
  const immutable: Host = {
    ...host,
    async writeFile(path, ...rest) {
      writes += 1;
      if (path === SECOND) throw new ConductorError('HOST_FILE_FAILED', `Cannot write "${path}"`);
      return host.writeFile(path, ...rest);
    },
  };
  await t.throwsAsync(replaceTwo(immutable), {
    code: 'HOST_FILE_FAILED',
    message: `Cannot configure the daemon: Cannot write "${SECOND}"; the old configuration stays`,
  });
  t.is(writes, 3);
  t.deepEqual([host.text(PATH), host.text(SECOND)], ['good', null]);
  t.is(await host.recall(MARK), 'good');
});

test('what cannot be put back after that is told, and the next run knows what was there', async (t) => {
  const host = daemon();
  await t.throwsAsync(replaceTwo(filling(host, 1)), {
    message: `Cannot configure the daemon: Cannot write "${SECOND}": full; and what is placed already could not be taken away again: Cannot write "${PATH}": full`,
  });
  t.is(host.text(PATH), 'new');
  await t.throwsAsync(replaceTwo(host), { message: /killed; and the old .* not be taken up/u });
  t.deepEqual([host.text(PATH), host.text(SECOND)], ['good', null]);
});
