import test from 'ava';
import {
  copyFileSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { createCore } from '../../../minion/agent/core.ts';
import { filesPutAside } from '../../../minion/agent/files.ts';
import { openJournal } from '../../../minion/agent/journal.ts';
import { openSpool } from '../../../minion/agent/spool.ts';
import { createLink } from '../../../minion/agent/link.ts';
import { readTrust, writeTrust } from '../../../minion/agent/trust.ts';
import { createLogger } from '../../../shared/log.ts';
import { uuidv7 } from '../../../shared/uuid.ts';
import { IN_THE_WAY, putInTheWay } from '../../helpers/in-the-way.ts';
import { testAtRest } from '../../helpers/toy-world.ts';
import { fakeChildren, journalEntry, newStateDirectory, reportOf, silentLog } from './fakes.ts';

/** An agent that is not told to do anything; what it logged. */
function start(stateDirectory: string): string {
  const said: string[] = [];
  createCore({
    minion: 'web-01',
    stateDirectory,
    atRest: testAtRest,
    startChild: fakeChildren().start,
    readFacts: () => Promise.resolve({}),
    log: createLogger({ name: 'test', level: 'error', write: (line) => void said.push(line) }),
    now: () => new Date(),
  });
  return said.join('');
}

function spoolIn(stateDirectory: string) {
  const [link, isUnfinished] = [createLink(), () => false];
  return openSpool({ minion: 'web-01', stateDirectory, link, log: silentLog, isUnfinished });
}

for (const name of ['jobs', 'ended', 'spool', 'blobs']) {
  test(`whatever stands in place of the directory "${name}" is put aside, and the agent starts`, (t) => {
    for (const what of IN_THE_WAY) {
      const stateDirectory = newStateDirectory();
      putInTheWay(join(stateDirectory, name), what);
      t.regex(start(stateDirectory), /stood in place of a directory/u, what);
      t.true(lstatSync(join(stateDirectory, name)).isDirectory(), what);
      const aside = readdirSync(stateDirectory).filter((one) => one.includes('.corrupt-'));
      t.is(aside.length, 1, what);
      t.is(start(stateDirectory), '', what);
    }
  });
}

test('a spool that is no directory any more is one again with the next report', (t) => {
  for (const what of IN_THE_WAY) {
    const stateDirectory = newStateDirectory();
    const spool = spoolIn(stateDirectory);
    putInTheWay(join(stateDirectory, 'spool'), what);
    const job = uuidv7();
    t.false(spool.has(job), what);
    spool.put(reportOf(job));
    t.is(spool.get(job)?.job, job, what);
    t.true(lstatSync(join(stateDirectory, 'spool')).isDirectory(), what);
  }
});

test('whom to believe is known from a copy also where a link to nothing stands in its place', (t) => {
  const stateDirectory = newStateDirectory();
  const trust = { pin: 'cdr1:abc', serial: 3n, masters: ['m:1'] };
  writeTrust(stateDirectory, trust, silentLog);
  const path = join(stateDirectory, 'master.json');
  rmSync(path);
  symlinkSync('/nowhere/at/all', path);
  t.deepEqual(readTrust(stateDirectory, silentLog), trust);
  t.true(lstatSync(path).isFile());
});

test('a run that has ended does not run again for a copy of its entry under another name', (t) => {
  const stateDirectory = newStateDirectory();
  mkdirSync(join(stateDirectory, 'ended'), { mode: 0o700 });
  const journal = openJournal(stateDirectory, silentLog);
  const entry = journalEntry();
  const { job } = entry.options;
  const [other, own] = [uuidv7(), { ...entry, options: { ...entry.options, job: uuidv7() } }];
  for (const one of [entry, own]) journal.put(one);
  journal.end(job);
  copyFileSync(
    join(stateDirectory, 'ended', `${job}.json`),
    join(stateDirectory, 'jobs', `${other}.json`),
  );
  t.deepEqual(journal.all(), [own]);
  t.is(filesPutAside(stateDirectory).filter((name) => name.includes(other)).length, 1);
  t.false(existsSync(join(stateDirectory, 'jobs', `${other}.json`)));
});

test('a report that is damaged is told as that of the run that it was', (t) => {
  const stateDirectory = newStateDirectory();
  for (const name of ['spool', 'ended']) mkdirSync(join(stateDirectory, name), { mode: 0o700 });
  const { options, ...rest } = journalEntry();
  const entries = (['refresh', 'job'] as const).map((cause) => ({
    ...rest,
    options: { ...options, job: uuidv7(), cause, stateFiles: cause === 'job' ? ['motd'] : [] },
  }));
  const journal = openJournal(stateDirectory, silentLog);
  for (const entry of entries) journal.put(entry);
  journal.end(entries[0]?.options.job ?? '');

  const spool = spoolIn(stateDirectory);
  const told = [...entries.map(({ options: { job } }) => job), uuidv7()].map((job) => {
    writeFileSync(join(stateDirectory, 'spool', `${job}.json`), 'damaged', { mode: 0o600 });
    return spool.get(job);
  });
  t.deepEqual(
    told.map((report) => report?.cause),
    ['refresh', 'job', 'local'],
  );
  t.deepEqual(
    told.map((report) => report?.stateFiles),
    [undefined, ['motd'], undefined],
  );
  t.like(told[0], { revision: rest.revision, error: { code: 'RUN_LOST' } });
});
