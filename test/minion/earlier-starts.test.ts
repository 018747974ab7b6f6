import test from 'ava';
import { appendFileSync, mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { changedBefore, openDone, withEarlier } from '../../minion/earlier-starts.ts';
import type { Outcome } from '../../protocol/report.ts';
import { uuidv7 } from '../../shared/uuid.ts';

const root = mkdtempSync(join(tmpdir(), 'conductor-earlier-'));
test.after.always(() => rmSync(root, { recursive: true, force: true }));

function outcome(id: string, status: Outcome['status'] = 'changed'): Outcome {
  return {
    key: `test.nop|${id}|${id}`,
    id,
    name: id,
    type: 'test.nop',
    place: 'states/one.yaml:1:1',
    status,
    startedAt: '2026-01-01T00:00:00.000Z',
    milliseconds: 1,
  };
}

function ids(outcomes: readonly Outcome[]): readonly string[] {
  return outcomes.map(({ id, status }) => `${id}: ${status}`);
}

test('what a run has changed is known to its next start, and to no other run', (t) => {
  const directory = mkdtempSync(join(root, 'state-'));
  const job = uuidv7();
  const first = openDone(directory, job);
  t.deepEqual(first.earlier, []);
  first.note(outcome('a'));
  first.note(outcome('b', 'unchanged'));
  const second = openDone(directory, job);
  t.deepEqual(ids(second.earlier), ['a: changed']);
  second.note(outcome('c'));
  t.deepEqual(ids(changedBefore(directory, job)), ['a: changed', 'c: changed']);
  t.is(statSync(join(directory, 'done.jsonl')).mode & 0o777, 0o600);

  const other = openDone(directory, uuidv7());
  t.deepEqual(other.earlier, []);
  t.deepEqual(ids(changedBefore(directory, job)), ['a: changed', 'c: changed'], 'nothing is new');
  other.note(outcome('d'));
  t.deepEqual(changedBefore(directory, job), []);
});

test('a line that was cut off tells nothing, and neither does what is no file', (t) => {
  const directory = mkdtempSync(join(root, 'state-'));
  const job = uuidv7();
  const path = join(directory, 'done.jsonl');
  openDone(directory, job).note(outcome('a'));
  appendFileSync(path, `{"job":"${job}","outcome":{"key":`);
  t.deepEqual(ids(changedBefore(directory, job)), ['a: changed']);
  openDone(directory, job).note(outcome('b'));
  t.deepEqual(ids(changedBefore(directory, job)), ['a: changed', 'b: changed']);
  writeFileSync(path, Buffer.of(0, 255, 10, 123));
  t.deepEqual(changedBefore(directory, job), []);
  rmSync(path);
  mkdirSync(join(path, 'below'), { recursive: true });
  const done = openDone(directory, job);
  t.deepEqual(done.earlier, []);
  done.note(outcome('b'));
  t.deepEqual(ids(changedBefore(directory, job)), ['b: changed']);
});

test('what was begun and not ended is known to the next start', (t) => {
  const directory = mkdtempSync(join(root, 'state-'));
  const job = uuidv7();
  const keys = (of: string): readonly string[] => [...openDone(directory, of).unfinished.keys()];
  const first = openDone(directory, job);
  for (const id of ['a', 'b', 'c', 'd']) first.begin(outcome(id).key);
  first.note(outcome('a'));
  first.note(outcome('b', 'failed'));
  first.note(outcome('c', 'unchanged'));
  t.deepEqual(keys(job), [outcome('d').key]);
  t.regex(openDone(directory, job).unfinished.get(outcome('d').key) ?? '', /^2\d{3}-/u);
  t.deepEqual(ids(changedBefore(directory, job)), ['a: changed']);
  t.deepEqual(keys(uuidv7()), []);
  openDone(directory, job).note(outcome('d', 'failed'));
  t.deepEqual(keys(job), [outcome('d').key], 'that it was told once does not end it');
});

test('that it cannot be written down is told', (t) => {
  const path = join(root, 'a-file');
  writeFileSync(path, '');
  t.throws(() => openDone(join(path, 'below'), uuidv7()).note(outcome('a')));
});

test('what an earlier start has changed is no less changed in the report', (t) => {
  const last = [outcome('a', 'unchanged'), outcome('b', 'skipped'), outcome('c', 'failed')];
  const earlier = ['a', 'b', 'c', 'd'].map((id) => outcome(id));
  t.deepEqual(ids(withEarlier(last, earlier)), [
    'a: changed',
    'b: changed',
    'c: failed',
    'd: changed',
  ]);
  t.deepEqual(withEarlier(last, []), last);
});
