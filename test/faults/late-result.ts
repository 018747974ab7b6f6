import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { askMaster } from '../e2e/ask-master.ts';
import { attempt, beginApply, sh, targetOf, until, untilOnline } from '../e2e/installed-hosts.ts';
import type { Site } from '../e2e/installed-hosts.ts';
import { allHaveEnded, collectHistory } from './collect.ts';
import type { Fault, FaultSetting } from './fault.ts';
import { askForVersion, comesTo, MINION_STATE, openGates, shutGate } from './gates.ts';
import { judgeHistory } from './history.ts';
import { lackingAfterNextRun } from './next-run.ts';

/** A master that dies in the middle of a job and is away for an hour: what came of the job arrives, once and with its own times. */
export const lateResult: Fault = {
  name: 'the master dies in mid-run and is away for an hour',
  rounds: null,
  usualMinutes: 63,
  isFast: false,
  load: 'idle',
  run: deliverLate,
};

/** How much later a report may have ended than the master died: the rest of the run. */
const REST_MS = 60_000;

async function deliverLate({ site, minutes, random, log }: FaultSetting): Promise<string[]> {
  const { conductor, appserver } = site;
  const since = Math.floor(Date.now() / 1000);
  const version = 1_000 + random.below(1_000_000);
  await askForVersion(site, version);
  await shutGate(appserver, 'owed');
  const job = await beginApply(site, 'appserver');
  if (!(await comesTo(appserver, 'owed', 60))) return ['the run did not come to its gate'];
  await sh(
    conductor,
    'systemctl kill --signal=KILL conductor-master; systemctl stop conductor-master',
  );
  const died = Date.now();
  await openGates(appserver);
  const spooled = `${MINION_STATE}/spool/${job}.json`;
  await until('the result to be kept', 120, async () =>
    (await sh(appserver, `ls ${MINION_STATE}/spool`)).includes(job),
  );
  const kept = timesSchema.parse(JSON.parse(await appserver.read(spooled)));
  const own = await attempt(appserver, ['minion', 'agent', '--refresh-now']);
  log(`the run has ended; the master is away for ${minutes} minutes`);
  await sleep(minutes * 60_000 - (Date.now() - died));
  await sh(conductor, 'systemctl start conductor-master');
  await untilOnline(site, ['appserver', 'conductor'], 150);
  await until(
    'the result to have come',
    120,
    async () => (await sh(appserver, `ls ${MINION_STATE}/spool`)) === '',
  );
  await until('all jobs to end', 60, () => allHaveEnded(site));
  const { state } = await targetOf(site, job);
  return [
    ...(own.exitCode === 0
      ? []
      : [`a refresh without a master exits with ${own.exitCode}: ${own.output}`]),
    ...(state === 'changed' ? [] : [`the job is ${state}`]),
    ...(await otherTimes(site, job, { kept, died })),
    ...(await lackingAfterNextRun(site, version)),
    ...judgeHistory(await collectHistory(site, since)),
  ];
}

const timesSchema = z.object({ startedAt: z.string(), endedAt: z.string() });

interface Expected {
  readonly kept: z.infer<typeof timesSchema>;
  readonly died: number;
}

/** It tells when the run was, not when it was told of. */
async function otherTimes({ conductor }: Site, job: string, { kept, died }: Expected) {
  const path = `/jobs/${job}/reports/appserver`;
  const { report } = await askMaster(conductor, path, z.object({ report: timesSchema }));
  const isKept = report.startedAt === kept.startedAt && report.endedAt === kept.endedAt;
  const isOwn = Math.abs(Date.parse(report.endedAt) - died) < REST_MS;
  const words = `${report.startedAt} to ${report.endedAt}`;
  return isKept && isOwn
    ? []
    : [`its times are ${words}, not ${kept.startedAt} to ${kept.endedAt}`];
}
