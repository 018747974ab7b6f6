import test from 'ava';
import type { Terminal } from '../../master/cli/terminal.ts';
import { createJobView } from '../../master/render/job-view.ts';
import { createLiveHosts } from '../../master/render/live-hosts.ts';
import { renderReports } from '../../master/render/job.ts';
import { renderSame } from '../../master/render/same-outcomes.ts';
import type { MinionStatus } from '../../master/api/answers.ts';
import { statusRow } from '../../master/render/minion-status.ts';
import type { JobEvent } from '../../protocol/messages.ts';
import { outcome, report } from './harness.ts';

const plain = { color: false, verbose: false };
const JOB = '019a0000-0000-7000-8000-000000000000';
const NOW = new Date('2026-05-05T12:00:10.000Z');

const changed = (...ids: readonly string[]) =>
  ids.map((id, index) => outcome(id, { milliseconds: index }));

test('what hosts have in common is shown once, and then what is different', (t) => {
  const hosts = [
    { minion: 'web1', outcomes: changed('a', 'b') },
    { minion: 'web2', outcomes: [...changed('a', 'b'), outcome('quiet', { status: 'unchanged' })] },
    {
      minion: 'web3',
      outcomes: [outcome('a', { startedAt: '2026-02-02T00:00:00.000Z' }), ...changed('b')],
    },
    { minion: 'web7', outcomes: changed('a', 'c') },
    { minion: 'web8', outcomes: [outcome('none', { status: 'unchanged' })] },
    { minion: 'web9', outcomes: [outcome('broken', { status: 'failed' })] },
  ];
  t.deepEqual(renderSame(hosts, plain), [
    '3 hosts: the same 2 changes',
    '    web1, web2, web3',
    '* note.present  a  changed  states/notes.yaml:1:1',
    '* note.present  b  changed  states/notes.yaml:1:1',
    'web7 differs: 1 of the same, 1 of its own, 1 not there',
    '    not note.present  b',
    '* note.present  c  changed  states/notes.yaml:1:1',
  ]);
  t.deepEqual(renderSame([], plain), []);
  const alone = [hosts[0], hosts[3]].flatMap((host) => host ?? []);
  t.deepEqual(
    renderSame(alone, plain).filter((line) => line.includes(':') && !line.startsWith('*')),
    ['web1: 2 changes', 'web7: 2 changes'],
  );
});

const withFingerprint = (fingerprint: string) => [
  outcome('file', {
    change: {
      action: 'update',
      from: { content: `3 bytes (${fingerprint})`, digest: null, password: 'open' },
      to: {
        content: `120 bytes (${fingerprint})`,
        digest: `digest(${fingerprint})`,
        password: `secret(${fingerprint})`,
      },
    },
    output: `first\nsecret(${fingerprint})`,
  }),
];

test('the same is the same on hosts whose fingerprints of it differ, and shows none of them', (t) => {
  const hosts = ['1a2b', '3c4d', '5e6f'].map((fingerprint) => ({
    minion: `web-${fingerprint}`,
    outcomes: withFingerprint(fingerprint),
  }));
  const lines = renderSame(hosts, plain);
  t.is(lines[0], '3 hosts: the same 1 change');
  t.true(lines.includes('    password: open -> secret(…)'));
  t.true(lines.includes('    digest: null -> digest(…)'));
  t.notRegex(lines.join('\n').replaceAll(/web-\w+/gu, ''), /1a2b|3c4d|5e6f/u);
  t.true(renderSame(hosts.slice(0, 1), plain).includes('    password: open -> secret(1a2b)'));
});

test('a host that has drifted is told apart from those of which the same was asked', (t) => {
  const change = { action: 'update', from: { mode: '0600' }, to: { mode: '0644' } } as const;
  const since = '2026-05-01T00:00:00.000Z';
  const drift = (times: number) => [
    outcome('file', {
      change,
      origin: { kind: 'drift', times, since },
      before: { modifiedAt: since, changedAt: since },
    }),
  ];
  const intended = [outcome('file', { change, origin: { kind: 'intended' } })];
  const hosts = [
    { minion: 'a', outcomes: drift(7) },
    ...['b', 'c', 'd'].map((minion) => ({ minion, outcomes: intended })),
  ];
  for (const order of [hosts, hosts.toReversed()]) {
    const lines = renderSame(order, plain);
    t.is(lines[0], '3 hosts: the same 1 change');
    t.regex(lines[2] ?? '', /changed {2}states/u);
    t.true(lines.includes('a differs: 0 of the same, 1 of its own, 1 not there'));
    t.true(lines.includes(`    drift 7 times since ${since}`));
  }
  const both = renderSame(
    [1, 7].map((times) => ({ minion: `m${times}`, outcomes: drift(times) })),
    plain,
  );
  t.is(both[0], '2 hosts: the same 1 change');
  t.regex(both[2] ?? '', /changed, drift/u);
  t.notRegex(both.join('\n'), /drift \d|touched/u);
});

test('reports of many hosts are grouped, and each failure has its host', (t) => {
  const error = { code: 'COMMAND_FAILED', message: 'no' };
  const failed = [...changed('a'), outcome('b', { status: 'failed', error })];
  const reports = [
    ...['m1', 'm2', 'm3'].map((minion) => report(JOB, minion, { outcomes: changed('a', 'b') })),
    report(JOB, 'm4', { outcomes: failed, status: 'failed' }),
  ];
  const lines = renderReports(reports, plain);
  t.true(lines.includes('3 hosts: the same 2 changes'));
  t.true(lines.some((line) => line.startsWith('m4 | ! note.present  b  failed')));
  t.is(lines.filter((line) => line.includes('* note.present  a')).length, 1);
  const broken = report(JOB, 'm5', { outcomes: [], status: 'failed', error });
  t.true(renderReports([...reports, broken], plain).includes('m5 |     error no [COMMAND_FAILED]'));
  t.true(renderReports([broken], plain).includes('    error no [COMMAND_FAILED]'));
  const each = renderReports(reports, { ...plain, verbose: true });
  t.is(each.filter((line) => line.includes('* note.present  a')).length, 4);
  t.is(
    renderReports(reports.slice(0, 2), plain).filter((line) => line.includes('* note.present  a'))
      .length,
    2,
  );
});

function fakeTerminal(isTerminal: boolean) {
  const out: string[] = [];
  const transient: string[] = [];
  const terminal: Terminal = {
    out: (line) => out.push(line),
    err: (line) => out.push(line),
    transient: (lines) => transient.push(lines),
    isTerminal,
    color: false,
    canAsk: false,
    ask: () => Promise.resolve(''),
    input: () => Promise.resolve(''),
    interrupts: () => ({ next: () => Promise.resolve(), stop: () => undefined }),
    environment: {},
    now: () => NOW,
  };
  return { out, transient, terminal };
}

function eventsOf(targets: readonly string[]): JobEvent[] {
  return [
    { event: 'job', job: JOB, revision: 'a'.repeat(64), targets: [...targets] },
    ...targets.map((minion): JobEvent => {
      const told = outcome('same', { change: { action: 'create', to: { text: 'hi' } } });
      return {
        event: 'run',
        minion,
        run: { event: 'outcome', number: 1, total: 1, outcome: told },
      };
    }),
    ...targets.map((minion): JobEvent => {
      const told = report(JOB, minion, { outcomes: [outcome('same')] });
      return { event: 'run', minion, run: { event: 'report', report: told } };
    }),
    { event: 'done', exitCode: 0 },
  ];
}

test('every line below that of one of several hosts says whose it is', (t) => {
  const { out, terminal } = fakeTerminal(false);
  const view = createJobView(terminal, { verbose: false });
  const error = { code: 'TREE_INVALID', message: 'two\nlines' };
  const ended = report(JOB, 'm1', { outcomes: [], status: 'failed', error });
  view.show({ event: 'job', job: JOB, revision: 'a'.repeat(64), targets: ['m1', 'm2'] });
  view.show({ event: 'run', minion: 'm1', run: { event: 'report', report: ended } });
  view.show({ event: 'target', minion: 'm2', state: 'failed', error });
  view.stop();
  t.deepEqual(
    out.slice(2).map((line) => line.replace(/^\S+Z /u, '')),
    ['m1 |     error two [TREE_INVALID]', 'm1 |     lines', 'm2  failed: two', 'm2 |     lines'],
  );
});

test('a few hosts are shown state by state; for more what they share comes at the end', (t) => {
  for (const [targets, shown] of [
    [['m1', 'm2'], 2],
    [['m1', 'm2', 'm3', 'm4'], 1],
  ] as const) {
    const { out, terminal } = fakeTerminal(true);
    const view = createJobView(terminal, { verbose: false });
    for (const event of eventsOf(targets)) view.show(event);
    view.stop();
    t.is(out[0], `job ${JOB}, revision aaaaaaaaaaaa, ${targets.length} targets`);
    t.is(out.filter((line) => line.includes('* note.present')).length, shown);
    t.is(out.includes('4 hosts: the same 1 change'), targets.length === 4);
    for (const minion of targets) t.true(out.some((line) => line.startsWith(`${minion}  changed`)));
  }
});

test('what a failure kept from running is shown with its host, as the failure is', (t) => {
  const { out, terminal } = fakeTerminal(true);
  const view = createJobView(terminal, { verbose: false });
  const targets = ['m1', 'm2', 'm3', 'm4'];
  view.show({ event: 'job', job: JOB, revision: 'a'.repeat(64), targets });
  const blocked = outcome('web', { status: 'skipped', because: 'file failed', blocked: true });
  const told = { event: 'outcome', number: 1, total: 1, outcome: blocked } as const;
  view.show({ event: 'run', minion: 'm1', run: told });
  view.stop();
  t.true(out.some((line) => line.startsWith('m1 | - note.present  web  skipped')));
  t.true(out.some((line) => line.includes('because file failed')));
});

test('a log gets the time with each line, and nothing that moves', (t) => {
  const { out, transient, terminal } = fakeTerminal(false);
  const view = createJobView(terminal, { verbose: false });
  for (const event of eventsOf(['m1'])) view.show(event);
  view.show({ event: 'target', minion: 'm1', state: 'queued', waits: 'waits for its turn' });
  view.stop();
  t.true(out[0]?.startsWith(`job ${JOB}`));
  for (const line of out.slice(1)) t.regex(line, /^2026-05-05T12:00:10Z /u);
  t.is(out.at(-1), '2026-05-05T12:00:10Z m1  queued: waits for its turn');
  t.deepEqual(
    transient.filter((lines) => lines !== ''),
    [],
  );
});

test('what runs is shown by host, with how far it is, for how long, and what is left', (t) => {
  const live = createLiveHosts();
  const running = { event: 'target', minion: 'm1', state: 'running' } as const;
  const since = '2026-05-05T12:00:00.000Z';
  live.target({ ...running, since, usualMilliseconds: 30_000 }, NOW);
  live.target({ ...running, minion: 'm2', usualMilliseconds: 5_000, since }, NOW);
  live.target({ ...running, minion: 'm3' }, NOW);
  const started = {
    event: 'started',
    number: 3,
    total: 9,
    id: 'x\u001b',
    type: 'pkg.installed',
  } as const;
  live.run('m1', started, NOW);
  const later = new Date(NOW.getTime() + 4_000);
  t.deepEqual(live.lines(later, 2), [
    'm1  3/9  pkg.installed x\\x1b  4 s  about 16 s left',
    'm2  compiling  14 s  longer than its usual 5 s',
    'and 1 more',
  ]);
  t.is(live.lines(NOW, 1)[0], 'm1  3/9  pkg.installed x\\x1b  about 20 s left');
  for (const minion of ['m1', 'm2', 'm3']) live.target({ ...running, minion, state: 'ok' }, later);
  t.deepEqual(live.lines(later, 9), []);
});

test('several jobs of a minion are counted, with what they wait for', (t) => {
  const one = { job: JOB, number: null, total: null, current: null, waits: null } as const;
  const queued = { ...one, state: 'queued' } as const;
  const away = { ...queued, waits: 'offline' };
  const running = { ...one, state: 'running', number: 3, total: 9, current: 'pkg nginx' } as const;
  t.is(result(), '-');
  t.is(result(away), 'queued: offline');
  t.is(result(queued, away), '2 queued: offline');
  t.is(result(away, away, running, queued), 'running 3/9 pkg nginx, 3 queued: offline');
  t.is(result(away, { ...queued, waits: 'begins at 9' }), '2 queued: offline or begins at 9');
});

const IDLE: MinionStatus = {
  id: 'web1',
  groups: [],
  online: true,
  since: null,
  address: null,
  version: null,
  nextRefresh: null,
  scheduleSource: null,
  pause: null,
  lastRun: null,
  lastPartialRun: null,
  drift: 0,
  running: [],
};

function result(...running: MinionStatus['running']): string | undefined {
  return statusRow({ ...IDLE, running }, { isTerminal: true, at: (time) => time ?? '-' })[4];
}
