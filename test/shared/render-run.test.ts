import test from 'ava';
import { renderCounts } from '../../shared/render-counts.ts';
import { renderOutcome, renderReport, wantsColor } from '../../shared/render-run.ts';
import type { ShownOutcome } from '../../shared/render-run.ts';

const plain = { color: false, verbose: false };
const outcome: ShownOutcome = {
  id: 'ref user',
  name: 'ref',
  type: 'user.present',
  place: 'states/eknight.yaml:12:1',
  status: 'changed',
  change: { action: 'update', from: { shell: '/bin/sh', uid: 1 }, to: { shell: '/bin/bash' } },
  milliseconds: 12,
};

test('a changed state shows what it is, where it stands, and from what to what it changed', (t) => {
  t.deepEqual(renderOutcome(outcome, plain), [
    '* user.present  ref user (ref)  changed  states/eknight.yaml:12:1',
    '    shell: /bin/sh -> /bin/bash',
  ]);
});

test('an unchanged state is shown only when asked for, or when it has something to say', (t) => {
  const { change: _change, ...rest } = outcome;
  const unchanged = { ...rest, status: 'unchanged' as const };
  t.deepEqual(renderOutcome(unchanged, plain), []);
  t.is(renderOutcome(unchanged, { ...plain, verbose: true }).length, 1);
  t.is(renderOutcome({ ...unchanged, reaction: 'no match' }, plain)[1], '    note no match');
  t.is(renderOutcome({ ...outcome, reaction: 'restarted' }, plain)[2], '    reaction restarted');
});

test('a state that is called by a script is told by the first line of that', (t) => {
  const script = 'set -e\nmake install\n';
  const [head] = renderOutcome({ ...outcome, id: script, name: script }, plain);
  t.is(head, '* user.present  set -e …  changed  states/eknight.yaml:12:1');
});

test('an empty list is no news of what is new, but of what had something in it', (t) => {
  const to = { python: '3.13', missing: [] };
  const made = renderOutcome({ ...outcome, change: { action: 'create', to } }, plain);
  t.deepEqual(made.slice(1), ['    python: 3.13']);
  const change = { action: 'update' as const, from: { missing: ['six'] }, to: { missing: [] } };
  const mended = renderOutcome({ ...outcome, change }, plain);
  t.deepEqual(mended.slice(1), ['    missing: ["six"] -> []']);
});

test('a text that changed is shown as its diff alone', (t) => {
  const lines = renderOutcome(
    {
      ...outcome,
      change: { action: 'create', to: { content: 'a\nb\n', mode: '0644' } },
      diff: '@@ -0,0 +1,2 @@\n+a\n+\tb\n',
      milliseconds: 1500,
    },
    plain,
  );
  t.deepEqual(lines, [
    '* user.present  ref user (ref)  changed, 1.5 s  states/eknight.yaml:12:1',
    '    mode: 0644',
    '    @@ -0,0 +1,2 @@',
    '    +a',
    '    +\tb',
  ]);
});

test('a run that had nothing to do at all says so', (t) => {
  const counts = { total: 0, unchanged: 0, changed: 0, wouldChange: 0, failed: 0, skipped: 0 };
  const at = '2026-01-01T00:00:00.000Z';
  const report = {
    minion: 'web-01',
    dryRun: false,
    status: 'ok',
    startedAt: at,
    endedAt: at,
    counts: { ...counts, unknown: 0 },
    owed: [],
  };
  t.deepEqual(renderReport(report, plain), [
    'web-01  ok  0 states in 0.0 s',
    '    nothing was done: no state is declared for this minion',
  ]);
  t.is(renderReport({ ...report, counts: { ...report.counts, total: 1 } }, plain).length, 1);
});

test('a failure shows its message and the end of the output, with nothing that moves a cursor', (t) => {
  const { change: _change, ...rest } = outcome;
  const error = {
    code: 'COMMAND_FAILED',
    message: 'Cannot run "x"\nmore',
    output: 'bad\u001b[2J\n',
  };
  t.deepEqual(renderOutcome({ ...rest, status: 'failed', error, name: rest.id }, plain), [
    '! user.present  ref user  failed  states/eknight.yaml:12:1',
    '    error Cannot run "x" [COMMAND_FAILED]',
    '    more',
    '    | bad\\x1b[2J',
  ]);
});

const counts = {
  total: 3,
  unchanged: 1,
  changed: 1,
  wouldChange: 0,
  failed: 1,
  skipped: 0,
  unknown: 0,
};

test('a report is one line, with what it owes below', (t) => {
  const report = {
    minion: 'appserver',
    dryRun: true,
    status: 'failed',
    startedAt: '2026-01-01T00:00:00.000Z',
    endedAt: '2026-01-01T00:00:02.500Z',
    counts,
    owed: ['service nginx'],
  };
  t.deepEqual(renderReport(report, plain), [
    'appserver  failed (dry run)  3 states: 1 failed, 1 changed, 1 unchanged in 2.5 s',
    '    owed service nginx',
  ]);
});

test('what a command printed stands below it, with nothing that moves a cursor', (t) => {
  const { change: _change, ...rest } = outcome;
  const printed = { ...rest, name: rest.id, output: 'up 3 days\n\u001b[2J' };
  t.deepEqual(renderOutcome(printed, plain).slice(1), ['    | up 3 days', '    | \\x1b[2J']);
});

test('what was skipped is told if it should have run', (t) => {
  const { change: _change, ...rest } = outcome;
  const skipped = { ...rest, name: rest.id, status: 'skipped', because: '"x" has failed' } as const;
  t.deepEqual(renderOutcome(skipped, plain), []);
  t.deepEqual(renderOutcome({ ...skipped, blocked: true }, plain), [
    '- user.present  ref user  skipped  states/eknight.yaml:12:1',
    '    because "x" has failed',
  ]);
});

test('drift is told in a word, with how often, when and what was there', (t) => {
  const since = '2026-01-01T00:00:00.000Z';
  const before = { changedAt: '2026-01-02T00:00:00.000Z', kept: 'ab'.repeat(32) };
  const drift = { kind: 'drift', times: 3, since } as const;
  t.deepEqual(renderOutcome({ ...outcome, origin: drift, before, milliseconds: 1500 }, plain), [
    '* user.present  ref user (ref)  changed, drift, 1.5 s  states/eknight.yaml:12:1',
    '    shell: /bin/sh -> /bin/bash',
    '    drift 3 times since 2026-01-01T00:00:00.000Z',
    '    touched 2026-01-02T00:00:00.000Z, says the clock of the host',
    '    it held: minion drift show abababababab',
  ]);
  const first = { ...drift, times: 1 };
  const secret = { changedAt: since, notKept: 'it may hold a secret' };
  t.deepEqual(renderOutcome({ ...outcome, origin: first, before: secret }, plain).slice(2), [
    '    drift for the first time',
    '    touched 2026-01-01T00:00:00.000Z, says the clock of the host',
    '    what it held is not kept: it may hold a secret',
  ]);
});

test('what the tree asked for has no word, what follows says from what, and doubt is told', (t) => {
  const lines = (origin: ShownOutcome['origin']) => renderOutcome({ ...outcome, origin }, plain);
  t.deepEqual(lines({ kind: 'intended' }), renderOutcome(outcome, plain));
  t.is(lines({ kind: 'follows', because: '"a" changed' })[2], '    after "a" changed');
  const [head = '', , why] = lines({ kind: 'unknown', because: 'nobody\u001b knows' });
  t.regex(head, /changed, perhaps drift {2}states/u);
  t.is(why, '    perhaps drift: nobody\\x1b knows');
});

test('a report names in full what it owes', (t) => {
  const report = {
    minion: 'appserver',
    dryRun: false,
    status: 'failed',
    startedAt: '2026-01-01T00:00:00.000Z',
    endedAt: '2026-01-01T00:00:02.500Z',
    counts: { ...counts, drift: 1 },
    owed: ['service.running|web|nginx'],
    debts: [
      {
        key: 'service.running|web|nginx',
        kind: 'watch',
        because: 'file.managed|/etc/a|/etc/a',
        since: '2026-01-01T00:00:01.000Z',
      },
    ],
  };
  t.deepEqual(renderReport(report, plain), [
    'appserver  failed  3 states: 1 failed, 1 changed (1 drift), 1 unchanged in 2.5 s',
    '    owed service.running web (nginx): watch of file.managed /etc/a, since 2026-01-01T00:00:01.000Z',
  ]);
});

test('a report says that its run was started more than once', (t) => {
  const [startedAt, endedAt] = ['2026-01-01T00:00:00.000Z', '2026-01-01T00:00:02.500Z'];
  const told = {
    minion: 'a',
    dryRun: false,
    status: 'changed',
    startedAt,
    endedAt,
    counts,
    owed: [],
  };
  t.is(
    renderReport({ ...told, starts: 2 }, plain)[1],
    '    started 2 times: it was killed, and its commands may have run before',
  );
  t.is(renderReport(told, plain).length, 1);
});

test('counts say only what there is', (t) => {
  const none = {
    total: 1,
    unchanged: 1,
    changed: 0,
    wouldChange: 0,
    failed: 0,
    skipped: 0,
    unknown: 0,
  };
  t.is(renderCounts(none), '1 state: 1 unchanged');
  t.is(renderCounts({ ...none, total: 0, unchanged: 0 }), '0 states');
});

test('colours are for terminals that want them', (t) => {
  t.true(wantsColor({ isTTY: true }, {}));
  t.false(wantsColor({ isTTY: true }, { NO_COLOR: '1' }));
  t.false(wantsColor({}, {}));
});
