import test from 'ava';
import { lstatSync, readdirSync, rmSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { createCore } from '../../../minion/agent/core.ts';
import { openSpool } from '../../../minion/agent/spool.ts';
import { createLink } from '../../../minion/agent/link.ts';
import { readTrust, writeTrust } from '../../../minion/agent/trust.ts';
import { createLogger } from '../../../shared/log.ts';
import { uuidv7 } from '../../../shared/uuid.ts';
import { IN_THE_WAY, putInTheWay } from '../../helpers/in-the-way.ts';
import { testAtRest } from '../../helpers/toy-world.ts';
import { fakeChildren, newStateDirectory, reportOf, silentLog } from './fakes.ts';

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
    const link = createLink();
    const spool = openSpool({ minion: 'web-01', stateDirectory, link, log: silentLog });
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
