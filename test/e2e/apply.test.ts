import { setTimeout as sleep } from 'node:timers/promises';
import test from 'ava';
import type { ExecutionContext } from 'ava';
import { z } from 'zod';
import type { Host } from '../hosts/host.ts';
import { testOnHosts } from '../hosts/on-hosts.ts';
import {
  apply,
  attempt,
  invite,
  openSite,
  publish,
  sh,
  statusOf,
  targetOf,
  TREE,
  until,
  untilOnline,
} from './installed-hosts.ts';
import type { ShownOutcome, Site } from './installed-hosts.ts';
import {
  CHANGING_CALLS,
  changingCalls,
  differences,
  filesWith,
  manifest,
  watchProcesses,
} from './watch.ts';

/** `master apply` and all around it, between two Debian hosts that Conductor's own package was installed on. */

const onHosts = await testOnHosts(test);
let site: Site;
let conductor: Host;
let appserver: Host;

test.after.always(async () => {
  await (site as Site | undefined)?.fleet.close(); // unset if the first test was skipped or has failed
});

/** One line of a job's progress, and when it came. */
interface Arrived {
  readonly at: number;
  readonly event: z.infer<typeof eventSchema>;
}

const eventSchema = z.object({
  event: z.string(),
  minion: z.string().optional(),
  state: z.string().optional(),
  exitCode: z.number().optional(),
  run: z
    .object({
      event: z.string(),
      outcome: z.object({ id: z.string(), status: z.string() }).optional(),
    })
    .optional(),
});

/** Applies, and notes when each event reached the command line's output. */
async function follow(...flags: readonly string[]) {
  const arrived: Arrived[] = [];
  const begun = Date.now();
  let rest = '';
  const { exitCode } = await conductor.exec(['master', 'apply', '--output', 'ndjson', ...flags], {
    allowFailure: true,
    onOutput: (text) => {
      const lines = (rest + text).split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines.filter((one) => one.startsWith('{')))
        arrived.push({ at: Date.now() - begun, event: eventSchema.parse(JSON.parse(line)) });
    },
  });
  const whenOutcome = (id: string): number =>
    arrived.find(({ event }) => event.run?.outcome?.id === id)?.at ?? Number.NaN;
  const whenTarget = (minion: string, state: string): number =>
    arrived.find(({ event }) => event.minion === minion && event.state === state)?.at ?? Number.NaN;
  return { exitCode, arrived, whenOutcome, whenTarget };
}

function having(outcomes: readonly ShownOutcome[], ...statuses: readonly string[]): string[] {
  return outcomes.filter(({ status }) => statuses.includes(status)).map(({ id }) => id);
}

/** What is said to change, in a form that a dry run and a real run have in common. */
function changesOf(outcomes: readonly ShownOutcome[]) {
  return outcomes
    .filter(({ status }) => status !== 'unchanged' && status !== 'skipped')
    .map(({ key, change, reaction }) => ({ key, change, reacts: reaction !== undefined }));
}

async function isWebAsDeclared(t: ExecutionContext): Promise<void> {
  t.is(await sh(appserver, 'getent passwd web | cut -d: -f6,7'), '/srv/web:/bin/bash');
  t.is(await sh(appserver, 'stat -c "%a %U %G" /srv/web'), '750 web web');
  t.is(await sh(appserver, 'stat -c "%a %U %G" /etc/web.conf'), '640 root web');
  t.true((await appserver.read('/etc/web.conf')).includes(`password = ${site.secret}\n`));
  t.is(await sh(appserver, 'cat /srv/web/index.html'), '<h1>First</h1>');
  t.is(await sh(appserver, 'systemctl is-active web; systemctl is-enabled web'), 'active\nenabled');
  t.is(await sh(appserver, 'cat /etc/motd'), 'Kept by Conductor: appserver');
}

/** Breaks six things by hand, each where Conductor is not looking. */
async function breakThings(): Promise<void> {
  await sh(
    appserver,
    `sed -i s/version.*/version=0/ /etc/web.conf; chmod 0644 /etc/web.conf
     usermod --shell /usr/sbin/nologin web
     systemctl disable --now --quiet web
     rm /srv/web/index.html /srv/web/slow-step
     chgrp root /srv/web`,
  );
}

onHosts('two hosts join a master', async (t) => {
  t.timeout(600_000);
  site = await openSite((line) => t.log(line));
  ({ conductor, appserver } = site);
  const { minions, broken } = await statusOf(site);
  t.deepEqual(
    minions.map(({ id, online }) => ({ id, online })),
    [
      { id: 'appserver', online: true },
      { id: 'conductor', online: true },
    ],
  );
  t.is(broken, null);
});

onHosts('a dry run on a bare host foresees and touches nothing', async (t) => {
  const { exitCode, outcomes } = await apply(site, 'appserver', '--dry-run');
  t.is(exitCode, 0);
  t.true(having(outcomes, 'would-change', 'unknown').includes('web service'));
  t.is(await sh(appserver, 'getent passwd web || true'), '');
  t.is(await sh(appserver, 'ls /etc/web.conf /srv/web 2>/dev/null || true'), '');
});

onHosts('an apply shows each state as it happens', async (t) => {
  const { exitCode, arrived, whenOutcome, whenTarget } = await follow('--target', 'appserver');
  t.is(exitCode, 0);
  const early = whenOutcome('/etc/web.conf');
  const late = whenOutcome('a slow step');
  t.true(late - early > 1500, `the config was shown ${late - early} ms before the slow step's end`);
  t.true(whenTarget('appserver', 'running') <= early);
  t.true(whenTarget('appserver', 'changed') >= late);
  t.is(arrived.at(-1)?.event.exitCode, 0);
  await isWebAsDeclared(t);
});

onHosts('a second apply changes nothing and says so', async (t) => {
  const before = await manifest(appserver);
  const { exitCode, outcomes, targets } = await apply(site, 'appserver');
  t.is(exitCode, 0);
  t.deepEqual(having(outcomes, 'changed', 'would-change', 'failed', 'unknown'), []);
  t.is(targets[0]?.state, 'ok');
  t.is(targets[0]?.report?.counts['changed'], 0);
  const changed = differences(before, await manifest(appserver));
  // What the agent keeps of its work, and nothing of what it manages.
  t.deepEqual(
    changed.filter((line) => !line.startsWith('/var/lib/conductor/minion')),
    [],
  );
});

onHosts('a dry run on the converged host writes nothing at all', async (t) => {
  const before = await manifest(appserver);
  t.true(before.size > 1000);
  const { exitCode, outcomes } = await apply(site, 'appserver', '--dry-run');
  t.deepEqual(differences(before, await manifest(appserver)), []);
  t.is(exitCode, 0);
  t.deepEqual(changesOf(outcomes), []);
});

onHosts('neither the agent nor its run makes one call that writes in a dry run', async (t) => {
  await sh(
    appserver,
    'apt-get update -qq; DEBIAN_FRONTEND=noninteractive apt-get install -qq -y strace >/dev/null',
  );
  const agent = await sh(appserver, 'systemctl show -P MainPID conductor-minion');
  const calls = `--trace=${CHANGING_CALLS.join(',')}`;
  const trace = async (...flags: readonly string[]): Promise<string> => {
    let said = '';
    const strace = appserver.exec(
      ['strace', '-f', '-s', '200', '--seccomp-bpf', calls, '-p', agent],
      { allowFailure: true, onOutput: (text) => (said += text) },
    );
    await until('strace to be attached', 20, async () => said.includes('attached'));
    await apply(site, 'appserver', ...flags);
    await sleep(500);
    await sh(appserver, 'pkill -INT -x strace');
    await strace;
    return said;
  };
  const dry = await trace('--dry-run');
  t.true(dry.includes('/etc/web.conf'), 'the trace saw the run look at the host');
  t.deepEqual(changingCalls(dry), []);
  t.true(changingCalls(await trace()).length > 0, 'and it would have seen a write');
});

onHosts('a dry run on a drifted host lists exactly what the real run then changes', async (t) => {
  await breakThings();
  const foreseen = await apply(site, 'appserver', '--dry-run');
  t.is(foreseen.exitCode, 0);
  t.is(await sh(appserver, 'systemctl is-active web || true'), 'inactive');
  const made = await apply(site, 'appserver');
  t.is(made.exitCode, 0);
  t.true(changesOf(made.outcomes).length >= 6);
  t.deepEqual(changesOf(foreseen.outcomes), changesOf(made.outcomes));
  await isWebAsDeclared(t);
});

onHosts('a state that fails is told, and so is what was left out for it', async (t) => {
  const { exitCode, outcomes, targets } = await apply(site, 'appserver', 'failing');
  t.is(exitCode, 2);
  t.is(targets[0]?.state, 'failed');
  t.deepEqual(having(outcomes, 'failed'), ['this fails']);
  t.deepEqual(having(outcomes, 'skipped'), ['/srv/after-the-failure']);
  t.is(await sh(appserver, 'ls /srv'), 'beside-the-failure\nconductor\nweb');
  const shown = await attempt(conductor, ['master', 'apply', '-t', 'appserver', 'failing']);
  t.true(shown.stdout.includes('the reason is plain'));
});

onHosts('a target that is unknown, empty or offline gets three answers', async (t) => {
  const unknown = await attempt(conductor, ['master', 'apply', '--target', 'apserver']);
  t.is(unknown.exitCode, 1);
  t.regex(unknown.stderr, /no accepted minion or group fits "apserver".*"appserver"/u);
  const empty = await attempt(conductor, ['master', 'apply', '--target', 'web and not web']);
  t.is(empty.exitCode, 5);
  t.regex(empty.stderr, /matches none of the 2 accepted minions/u);

  await sh(appserver, 'systemctl stop conductor-minion');
  const { exitCode, whenTarget } = await follow('--target', '*', 'slow');
  t.is(exitCode, 3);
  t.true(whenTarget('appserver', 'unreachable') < 1000);
  t.true(whenTarget('conductor', 'changed') > 4000);
  await sh(appserver, 'systemctl start conductor-minion');
  await untilOnline(site, ['appserver']);
});

onHosts('a second master on the same state directory says who holds it', async (t) => {
  const pid = await sh(conductor, 'systemctl show -P MainPID conductor-master');
  const second = await attempt(conductor, ['master', 'serve', '--listen', '127.0.0.1:4999']);
  t.is(second.exitCode, 1);
  t.regex(second.stderr, new RegExp(`/var/lib/conductor/master.*process ${pid} holds it`, 'u'));
  const ping = await attempt(conductor, ['master', 'ping', '--target', '*']);
  t.is(ping.exitCode, 0);
  t.is(await sh(conductor, 'systemctl show -P MainPID conductor-master'), pid);
});

onHosts('a sealed value shows nowhere but in the file that is for it', async (t) => {
  const { secret } = site;
  await publish(site, 'pillars/web.yaml', 'web:\n  title: First\n  version: 2\n');
  const processes = watchProcesses(secret);
  const outputs: string[] = [];
  const say = async (...argv: readonly string[]): Promise<string> => {
    const { output } = await attempt(conductor, ['master', ...argv]);
    outputs.push(output);
    return output;
  };
  await say('apply', '-t', 'appserver', '--dry-run', '--verbose');
  const applied = await say('apply', '-t', 'appserver', '--output', 'ndjson', '--verbose');
  t.true(applied.includes('the password reaches a program'));
  const leaky = await say('apply', '-t', 'appserver', 'leaky', '--verbose');
  t.regex(leaky, /the password is secret\([0-9a-f]{4}\)/u);
  const jobs = z
    .object({ jobs: z.array(z.object({ id: z.string() })) })
    .parse(JSON.parse(await say('jobs', 'list', '--json')));
  for (const { id } of jobs.jobs.slice(0, 3)) {
    await say('jobs', 'show', id, '--json');
    await say('jobs', 'watch', id, '--json');
  }
  await say('show', 'appserver', '--verbose');
  await say('show', 'appserver', '--json');
  const pillar = await say('pillar', 'show', 'appserver');
  t.regex(pillar, /password: .*secret/u);
  await say('pillar', 'show', 'appserver', '--why', 'web.password', '--json');
  await say('status', '--json');
  const { looks, found } = processes.stop();
  t.true(looks > 50);
  t.deepEqual(found, []);
  t.deepEqual(
    outputs.filter((output) => output.includes(secret)),
    [],
  );
  const hash = await sh(appserver, `cut -d' ' -f1 /srv/web/password.sha256`);
  t.is(hash, await sh(appserver, `printf %s ${secret} | sha256sum | cut -d' ' -f1`));
  for (const host of [conductor, appserver]) {
    const journal = await sh(host, 'journalctl --no-pager --output=verbose --all');
    t.true(journal.includes('conductor'));
    t.false(journal.includes(secret), `the journal of ${host.name}`);
  }
  t.deepEqual(await filesWith(conductor, secret), []);
  t.deepEqual(await filesWith(appserver, secret), ['640 /etc/web.conf']);
});

/** A minion of its own on the conductor's host, beside the one that is there. */
function another(id: string): readonly string[] {
  return ['--id', id, '--state-directory', `/var/lib/${id}`, '--socket', `/run/${id}.sock`];
}

const keysSchema = z.object({
  keys: z.array(z.object({ id: z.string(), state: z.string(), fingerprint: z.string() })),
});

async function keyOf(id: string) {
  const { stdout } = await conductor.exec(['master', 'keys', 'list', '--json']);
  return keysSchema.parse(JSON.parse(stdout)).keys.find((key) => key.id === id);
}

onHosts(
  'a key without an invitation waits until it is accepted, and goes when it is rejected',
  async (t) => {
    const flags = [...another('third'), '--master', 'conductor:4510'];
    const refused = await attempt(conductor, ['minion', 'agent', ...flags]);
    t.is(refused.exitCode, 5);
    t.regex(refused.stderr, /has not joined a master yet/u);

    const lab = '--setenv=CONDUCTOR_MINION_TRUST_ON_FIRST_USE=true';
    const start = [
      'systemd-run',
      '--quiet',
      '--unit=third',
      lab,
      'conductor-minion',
      'agent',
    ] as const;
    await conductor.exec([...start, ...flags]);
    await until('the key to wait', 20, async () => (await keyOf('third'))?.state === 'pending');
    const apply = await attempt(conductor, ['master', 'apply', '--target', 'third']);
    t.is(apply.exitCode, 1, 'a pending minion is no target');

    const fingerprint = await sh(conductor, `minion fingerprint ${another('third').join(' ')}`);
    t.is((await keyOf('third'))?.fingerprint, fingerprint);
    const unasked = await attempt(conductor, ['master', 'keys', 'accept', 'third']);
    t.is(unasked.exitCode, 1);
    t.true(unasked.stderr.includes(fingerprint));
    const other = `cdr1:${'a'.repeat(fingerprint.length - 5)}`;
    const wrong = await attempt(conductor, ['master', 'keys', 'accept', 'third', other]);
    t.not(wrong.exitCode, 0);
    t.is((await keyOf('third'))?.state, 'pending');
    await conductor.exec(['master', 'keys', 'accept', 'third', fingerprint]);
    await sh(
      conductor,
      'systemctl kill -s KILL third; sleep 0.3; systemctl reset-failed third || true',
    );
    await conductor.exec([...start, ...flags]);
    await untilOnline(site, ['third']);

    await conductor.exec(['master', 'keys', 'reject', 'third']);
    const rejectedAt = Date.now();
    await until('the rejected minion to be gone', 5, async () => {
      const { minions } = await statusOf(site);
      return !minions.some(({ id, online }) => id === 'third' && online);
    });
    t.true(Date.now() - rejectedAt < 2000);
    t.not((await attempt(conductor, ['master', 'apply', '--target', 'third'])).exitCode, 0);
    await sh(conductor, 'systemctl stop third');
    await conductor.exec(['master', 'keys', 'delete', 'third']);
  },
);

onHosts('a join string works once', async (t) => {
  const input = `${await invite(site, 'f*')}\n`;
  const first = await attempt(conductor, ['minion', 'join', ...another('fourth')], { input });
  t.is(first.exitCode, 0, first.stderr);
  t.is((await keyOf('fourth'))?.state, 'accepted');
  const second = await attempt(conductor, ['minion', 'join', ...another('fifth')], { input });
  t.is(second.exitCode, 5);
  t.regex(second.stderr, /Cannot join as "fifth": the join string is used/u);
  t.is(await keyOf('fifth'), undefined);
  t.is(await sh(conductor, 'ls /var/lib/fifth/master.json 2>/dev/null || true'), '');
  await conductor.exec(['master', 'keys', 'delete', 'fourth']);
});

async function lastRun() {
  const { minions } = await statusOf(site);
  return minions.find(({ id }) => id === 'appserver')?.lastRun ?? null;
}

onHosts('a refresh on the minion itself repairs drift, and the master hears of it', async (t) => {
  await breakThings();
  const { exitCode, stdout } = await attempt(appserver, ['minion', 'agent', '--refresh-now']);
  t.is(exitCode, 0);
  t.regex(stdout, /\* user\.present {2}web {2}changed/u);
  await isWebAsDeclared(t);
  await until('the report', 10, async () => (await lastRun())?.cause === 'refresh');
  t.is((await lastRun())?.status, 'changed');
});

onHosts(
  'without a master a refresh converges on the last good revision, and reports later',
  async (t) => {
    const before = await lastRun();
    // At once: a master that says goodbye would have its minions come back one by one, within 30 s.
    await sh(conductor, 'systemctl kill -s KILL conductor-master; systemctl stop conductor-master');
    await breakThings();
    const { exitCode } = await attempt(appserver, ['minion', 'agent', '--refresh-now']);
    t.is(exitCode, 0);
    await isWebAsDeclared(t);
    const spool = 'ls /var/lib/conductor/minion/spool';
    const spooled = await sh(appserver, spool);
    t.regex(spooled, /^[0-9a-f-]{36}\.json$/u);
    await sh(conductor, 'systemctl start conductor-master');
    await untilOnline(site, ['appserver', 'conductor']);
    await until('the spooled report', 20, async () => (await sh(appserver, spool)) === '');
    const after = await lastRun();
    t.not(after?.job, before?.job);
    t.is(`${after?.job}.json`, spooled);
    t.is(after?.status, 'changed');
    t.is(after?.revision, before?.revision);
  },
);

onHosts(
  'a tree that no longer compiles changes nothing and leaves the last good one served',
  async (t) => {
    const good = await statusOf(site);
    const before = await lastRun();
    await conductor.write(
      `${TREE}/states/common.yaml`,
      '/etc/motd:\n  file.manged:\n    contents: x\n',
    );
    await until('the mistake to be seen', 20, async () => (await statusOf(site)).broken !== null);
    const { broken, revision } = await statusOf(site);
    t.true(broken?.message.includes('states/common.yaml:2:3'));
    t.deepEqual(revision, good.revision);
    const refused = await attempt(conductor, ['master', 'apply', '--target', 'appserver']);
    t.is(refused.exitCode, 4);
    t.true(refused.stderr.includes('states/common.yaml:2:3'));
    await isWebAsDeclared(t);
    t.deepEqual(await lastRun(), before, 'nothing has run since');
    t.is((await targetOf(site, before?.job ?? '')).state, 'changed', 'a refresh can be looked up');
  },
);
