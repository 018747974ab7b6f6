import test from 'ava';
import { z } from 'zod';
import { converge, dryRun, forReal, notified } from '../../helpers/converge.ts';
import { fakeHost } from '../../helpers/fake-host.ts';
import { ConductorError } from '../../../shared/errors.ts';
import { defineState } from '../../../minion/engine/state-type.ts';

type Shell = { shell: string };

const shellState = defineState<{ name: string; shell: string }, Shell>({
  name: 'shell.set',
  example: '',
  schema: z.strictObject({ name: z.string(), shell: z.string() }),
  async read({ name }, host) {
    const { exitCode, stdout } = await host.query(['getshell', name]);
    return exitCode === 0 ? { shell: stdout.trim() } : null;
  },
  want: ({ shell }) => ({ shell }),
  async apply(change, { name }, host) {
    if (change.action === 'remove') return;
    await host.run(['setshell', name, String(change.to.shell)]);
  },
  async react({ name }, host) {
    await host.run(['kick', name]);
    return 'kicked';
  },
});

const sh = { commands: { 'getshell deploy': '/bin/sh\n' } };
const bash = { commands: { 'getshell deploy': '/bin/bash\n' } };
const declared = { name: 'deploy', shell: '/bin/bash' };

test('leaves alone what is as it should be', async (t) => {
  const host = fakeHost(bash);
  t.deepEqual(await converge(shellState, declared, host, forReal), { status: 'unchanged' });
  t.deepEqual(host.ran, []);
});

test('carries out a change and reads again', async (t) => {
  const host = fakeHost(sh, bash);
  t.deepEqual(await converge(shellState, declared, host, forReal), {
    status: 'changed',
    change: { action: 'update', from: { shell: '/bin/sh' }, to: { shell: '/bin/bash' } },
    reaction: null,
  });
  t.deepEqual(host.ran, ['setshell deploy /bin/bash']);
});

test('fails when the host still differs afterwards, and says in what', async (t) => {
  await t.throwsAsync(converge(shellState, declared, fakeHost(sh), forReal), {
    code: 'STATE_NOT_CONVERGED',
    message: 'Cannot converge shell.set: the host still differs in "shell"',
  });
  const absent = { commands: { 'getshell deploy': { exitCode: 1 } } };
  await t.throwsAsync(converge(shellState, declared, fakeHost(absent), forReal), {
    message: /differs in that the thing does not exist/u,
  });
});

test('a dry run foresees change and reaction, and touches nothing', async (t) => {
  const host = fakeHost(sh);
  const outcome = await converge(shellState, declared, host, { ...dryRun, notified: true });
  t.like(outcome, { status: 'would-change', change: { action: 'update' }, reaction: '' });
  t.deepEqual(host.ran, []);
});

test('what refuses a change is asked before the first effect, in a plan and a run alike', async (t) => {
  const refusing: typeof shellState = {
    ...shellState,
    async refuses(change, _args, host) {
      const { exitCode } = await host.query(['which', '/bin/bash']);
      if (exitCode !== 0) throw new ConductorError('STATE_REFUSED', `no bash (${change.action})`);
    },
  };
  for (const way of [dryRun, forReal]) {
    const host = fakeHost({ commands: { ...sh.commands, 'which /bin/bash': { exitCode: 1 } } });
    const begun: unknown[] = [];
    const beforeEffect = async (change: unknown): Promise<void> => void begun.push(change);
    await t.throwsAsync(converge(refusing, declared, host, { ...way, beforeEffect }), {
      message: 'no bash (update)',
    });
    t.deepEqual([...host.ran, ...begun], []);
  }
  t.deepEqual(await converge(refusing, declared, fakeHost(bash), forReal), { status: 'unchanged' });
});

test('a notified state that needs no change reacts', async (t) => {
  const host = fakeHost(bash);
  t.deepEqual(await converge(shellState, declared, host, notified), {
    status: 'changed',
    change: null,
    reaction: 'kicked',
  });
  t.deepEqual(host.ran, ['kick deploy']);
});

test('a notified state that changes reacts as well', async (t) => {
  const host = fakeHost(sh, bash);
  t.like(await converge(shellState, declared, host, notified), { reaction: 'kicked' });
  t.deepEqual(host.ran, ['setshell deploy /bin/bash', 'kick deploy']);
});

test('a state whose own change answers the notification does not react as well', async (t) => {
  const host = fakeHost(sh, bash);
  const answering = { ...shellState, answers: () => true };
  t.like(await converge(answering, declared, host, notified), {
    status: 'changed',
    reaction: null,
  });
  t.deepEqual(host.ran, ['setshell deploy /bin/bash']);
});

test('to have waited is no change, and a dry run cannot know how a wait ends', async (t) => {
  const awaiting = { ...shellState, awaits: true as const };
  const host = fakeHost(sh, bash);
  t.like(await converge(awaiting, declared, host, dryRun), { status: 'unknown' });
  t.deepEqual(host.ran, []);
  t.deepEqual(await converge(awaiting, declared, host, forReal), { status: 'unchanged' });
  t.deepEqual(host.ran, ['setshell deploy /bin/bash']);
});

test('a state that cannot react takes a notification as nothing', async (t) => {
  const mute = { ...shellState };
  delete mute.react;
  t.deepEqual(await converge(mute, declared, fakeHost(bash), notified), { status: 'unchanged' });
});

test('a reaction that breaks the state is a failure', async (t) => {
  await t.throwsAsync(converge(shellState, declared, fakeHost(bash, sh), notified), {
    code: 'STATE_NOT_CONVERGED',
  });
});

test('an effect that cannot be read back is not read back', async (t) => {
  const host = fakeHost(sh);
  const outcome = await converge({ ...shellState, oneShot: true }, declared, host, forReal);
  t.is(outcome.status, 'changed');
  t.is(host.queries.length, 1);
});

test('says so before the first effect, and only then', async (t) => {
  const host = fakeHost(sh, bash);
  const seen: string[][] = [];
  const beforeEffect = async () => void seen.push([...host.ran]);
  await converge(shellState, declared, host, { dryRun: false, beforeEffect });
  t.deepEqual(seen, [[]]);
  await converge(shellState, declared, host, { dryRun: false, beforeEffect });
  t.is(seen.length, 1);
});

test('what reads gets no means to change the host', async (t) => {
  const grasping = defineState({
    ...shellState,
    async read(_args, host) {
      t.false('run' in host);
      t.false('writeFile' in host);
      // @ts-expect-error what only looks cannot change the host
      await t.throwsAsync(async () => host.run(['rm', '-r', '/']), { instanceOf: TypeError });
      return { shell: '/bin/bash' };
    },
  });
  await converge(grasping, declared, fakeHost(), forReal);
});

test('after a command of the author, nothing that was shared is taken to be true any more', async (t) => {
  const host = fakeHost(sh);
  await host.shared('packages', async () => 'before');
  await converge(shellState, declared, fakeHost(bash), forReal);
  t.is(await host.shared('packages', async () => 'after'), 'before');
  await converge({ ...shellState, oneShot: true }, declared, host, forReal);
  t.is(await host.shared('packages', async () => 'after'), 'after');
});
