import test from 'ava';
import {
  chmodSync,
  existsSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { contentsDirectory, findContent } from '../../../minion/engine/drift/contents.ts';
import { performRun } from '../../../minion/run/run.ts';
import { stateTypes } from '../../../minion/state-types/index.ts';
import { reportSchema } from '../../../protocol/report.ts';
import type { Outcome, Report } from '../../../protocol/report.ts';
import { testAtRest } from '../../helpers/toy-world.ts';
import { oneFile, runPlace, runRequest } from '../../helpers/run-request.ts';
import type { TestTree } from '../../helpers/run-request.ts';

/** Drift and intended changes of real files, with their clocks and contents. */

const asRoot = process.geteuid?.() === 0 ? test : test.skip;
const places: string[] = [];
test.after.always(() => {
  for (const path of places) rmSync(path, { recursive: true, force: true });
});

function place(): string {
  const path = runPlace();
  places.push(path);
  return path;
}

async function perform(here: string, text: string, more: Partial<TestTree> = {}): Promise<Report> {
  const report = await performRun(runRequest(here, { files: oneFile(text), ...more }), {
    states: stateTypes,
    emit: () => undefined,
    signal: new AbortController().signal,
  });
  return reportSchema.parse(report);
}

/** Changes a file as somebody does after a run has ended; clocks of file systems go in steps. */
async function byHand(path: string, text: string): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, 25));
  writeFileSync(path, text);
}

function outcome({ outcomes }: Report, id: string): Outcome {
  const found = outcomes.find((one) => one.id === id);
  if (found === undefined) throw new Error(`no outcome of ${id}`);
  return found;
}

function kept(here: string): string {
  return contentsDirectory(join(here, 'state'));
}

function tree(here: string, { second = 'two' } = {}): string {
  return `first:
  file.managed:
    name: ${join(here, 'first')}
    contents: one
second:
  file.managed:
    name: ${join(here, 'second')}
    contents: ${second}
line:
  file.append:
    name: ${join(here, 'edited')}
    text: a line of the tree's
gone:
  file.absent:
    name: ${join(here, 'gone')}
`;
}

asRoot(
  'a file changed by hand is drift beside an intended change, and what it held is kept',
  async (t) => {
    const here = place();
    const first = await perform(here, tree(here));
    t.deepEqual(first.counts.drift, 0);
    const then = new Date('2026-01-02T03:04:05Z');
    await byHand(join(here, 'first'), 'by hand\n');
    utimesSync(join(here, 'first'), then, then);

    const report = await perform(here, tree(here, { second: 'three' }));
    t.like(outcome(report, 'second').origin, { kind: 'intended' });
    t.is(outcome(report, 'second').before, undefined);
    const { origin, before, diff } = outcome(report, 'first');
    t.like(origin, { kind: 'drift', times: 1 });
    t.is(before?.modifiedAt, then.toISOString());
    t.true(Date.now() - Date.parse(before?.changedAt ?? '') < 60_000);
    t.regex(diff ?? '', /^-by hand$/mu);
    t.is(
      Buffer.from(findContent(kept(here), before?.kept ?? '-', testAtRest)).toString(),
      'by hand\n',
    );
    t.like(report.counts, { changed: 2, drift: 1 });
  },
);

asRoot(
  'so is a line taken out of an edited file, and a file that should not be there',
  async (t) => {
    const here = place();
    await perform(here, tree(here));
    await byHand(join(here, 'edited'), 'other lines altogether\n');
    await byHand(join(here, 'gone'), 'back again\n');
    const report = await perform(here, tree(here));
    for (const [id, text] of [
      ['line', 'other lines altogether\n'],
      ['gone', 'back again\n'],
    ] as const) {
      const { origin, before } = outcome(report, id);
      t.is(origin?.kind, 'drift', id);
      t.is(Buffer.from(findContent(kept(here), before?.kept ?? '-', testAtRest)).toString(), text);
    }
    t.is(report.counts.drift, 2);
  },
);

asRoot('another mode is drift of which there is nothing to keep', async (t) => {
  const here = place();
  const text = `${tree(here)}mode:\n  file.managed:\n    name: ${join(here, 'm')}\n    mode: "0644"\n`;
  await perform(here, text);
  await new Promise((resolve) => setTimeout(resolve, 25));
  chmodSync(join(here, 'm'), 0o600);
  const { origin, before } = outcome(await perform(here, text), 'mode');
  t.is(origin?.kind, 'drift');
  t.deepEqual(Object.keys(before ?? {}), ['modifiedAt', 'changedAt']);
});

asRoot('a file that the tree puts a secret into is not kept, whatever it held', async (t) => {
  const here = place();
  const sealed = { value: { key: 'hunter2222' }, secrets: ['/key'] };
  const text = `secret:
  file.managed:
    name: ${join(here, 'secret')}
    contents: "password {{ pillar.key }}"
quiet:
  file.managed:
    name: ${join(here, 'quiet')}
    contents: nothing to see
    show_changes: false
plain:
  file.managed:
    name: ${join(here, 'plain')}
    contents: plain
`;
  await perform(here, text, { pillar: sealed });
  await byHand(join(here, 'secret'), 'password of last year\n');
  await byHand(join(here, 'quiet'), 'private\n');
  await byHand(join(here, 'plain'), '-----BEGIN PRIVATE KEY-----\n');
  const report = await perform(here, text, { pillar: sealed });
  for (const id of ['secret', 'quiet', 'plain']) {
    t.is(outcome(report, id).origin?.kind, 'drift');
    t.is(outcome(report, id).before?.notKept, 'it may hold a secret', id);
  }
  t.false(existsSync(kept(here)));
  const state = readFileSync(join(here, 'state', 'wanted.json'), 'utf8');
  t.notRegex(state + JSON.stringify(report), /hunter2222|last year/u);
});

asRoot('a template of the tree that moves or stays the same asks for nothing new', async (t) => {
  const here = place();
  const using = (path: string) =>
    `file:\n  file.managed:\n    name: ${join(here, 'file')}\n    source: ${path}\n`;
  const files = { 'templates/a.hbs': 'text\n', 'templates/b.hbs': 'text\n' };
  const withFiles = (path: string, more: Readonly<Record<string, string>> = {}) => ({
    files: { ...oneFile(using(path)), ...files, ...more },
  });
  await perform(here, '', withFiles('a.hbs'));
  await byHand(join(here, 'file'), 'by hand\n');
  const moved = await perform(here, '', withFiles('b.hbs'));
  t.is(outcome(moved, 'file').origin?.kind, 'drift');
  const other = await perform(here, '', withFiles('b.hbs', { 'templates/b.hbs': 'new\n' }));
  t.is(outcome(other, 'file').origin?.kind, 'intended');
});

asRoot('a dry run says the same of what it foresees, and writes nothing', async (t) => {
  const here = place();
  await perform(here, tree(here));
  await byHand(join(here, 'first'), 'by hand\n');
  const snapshot = () =>
    readdirSync(here, { recursive: true, encoding: 'utf8' }).map((name) => {
      const { mtimeMs, ctimeMs, size } = statSync(join(here, name));
      return `${name} ${mtimeMs} ${ctimeMs} ${size}`;
    });
  // What the request itself needs is written before.
  const request = runRequest(here, {
    files: oneFile(tree(here, { second: 'three' })),
    options: { dryRun: true },
  });
  const before = snapshot();
  const report = await performRun(request, {
    states: stateTypes,
    emit: () => undefined,
    signal: new AbortController().signal,
  });
  t.deepEqual(snapshot(), before);
  t.like(outcome(report, 'first'), { status: 'would-change', origin: { kind: 'drift', times: 1 } });
  t.is(outcome(report, 'first').before?.kept, undefined);
  t.is(outcome(report, 'second').origin?.kind, 'intended');
  t.like(report.counts, { wouldChange: 2, drift: 1 });
});

asRoot('a file touched in the same run by something intended is not called drift', async (t) => {
  const here = place();
  const text = (word: string) => `command:
  cmd.run:
    name: echo ${word} >>${join(here, 'first')}
    unless: grep --quiet ${word} ${join(here, 'second')}
second:
  file.managed:
    name: ${join(here, 'second')}
    contents: ${word}
first:
  file.managed:
    name: ${join(here, 'first')}
    contents: one
other:
  file.managed:
    name: ${join(here, 'other')}
    contents: one
`;
  await perform(here, text('alpha'));
  await byHand(join(here, 'other'), 'by hand\n');
  const aged = new Date(Date.now() - 5000);
  utimesSync(join(here, 'other'), aged, aged);
  await new Promise((resolve) => setTimeout(resolve, 1100));
  const report = await perform(here, text('beta'));
  t.is(outcome(report, 'command').origin?.kind, 'intended');
  t.like(outcome(report, 'first').origin, {
    kind: 'unknown',
    because: '"command" changed before it in this run',
  });
  // By its clock it was changed before the run began.
  t.is(outcome(report, 'other').origin?.kind, 'drift');
});

asRoot('two states that want different things of one file are not called drift', async (t) => {
  const here = place();
  // A guard keeps the compiler from telling.
  const text = `whole:
  file.managed:
    name: ${join(here, 'file')}
    contents: one
    onlyif: test -d /
more:
  file.append:
    name: ${join(here, 'file')}
    text: two
`;
  await perform(here, text);
  const report = await perform(here, text);
  const { origin } = outcome(report, 'whole');
  t.regex(JSON.stringify(origin), /while the last one was under way: another state/u);
  t.regex(outcome(report, 'more').error?.message ?? '', /would take back what "whole" has just/u);
  t.is(report.counts.drift, 0);
});
