import { z } from 'zod';
import type { Host } from '../hosts/host.ts';
import { ConductorError } from '../../shared/errors.ts';
import { askMaster } from '../e2e/ask-master.ts';
import { sh } from '../e2e/installed-hosts.ts';
import type { Site } from '../e2e/installed-hosts.ts';
import { MINION_STATE } from './gates.ts';
import type { Happening } from './history.ts';

const targetSchema = z.object({ minion: z.string(), state: z.string() });
const jobsSchema = z.object({
  jobs: z.array(z.object({ id: z.string(), kind: z.string(), targets: z.array(targetSchema) })),
});
const shownSchema = z.object({ targets: z.array(targetSchema) });
const reportSchema = z.object({ report: z.object({ status: z.string() }).nullable() });

/** The jobs of the master, and what minions ran by themselves: the newest thousand. */
async function jobsOf({ conductor }: Pick<Site, 'conductor'>) {
  return (await askMaster(conductor, '/jobs?limit=1000', jobsSchema)).jobs;
}

/** Whether the master answers, and all of its jobs have ended. */
export async function allHaveEnded({ conductor }: Pick<Site, 'conductor'>): Promise<boolean> {
  const unfinished = '/jobs?limit=1000&kind=job&status=unfinished';
  try {
    return (await askMaster(conductor, unfinished, jobsSchema)).jobs.length === 0;
  } catch (error) {
    if (error instanceof ConductorError && error.code === 'MASTER_UNREACHABLE') return false;
    throw error;
  }
}

/** All that is written down anywhere of the jobs since a moment (seconds since 1970). */
export async function collectHistory(site: Site, since: number): Promise<Happening[]> {
  const minions = [site.appserver];
  const [fromMaster, ...fromMinions] = await Promise.all([
    masterHappenings(site, since),
    ...minions.map((host) => minionHappenings(host, since)),
  ]);
  return [...fromMaster, ...fromMinions.flat()];
}

async function masterHappenings(site: Site, since: number): Promise<Happening[]> {
  const jobs = await jobsOf(site);
  const happenings: Happening[] = (await lines(site.conductor, 'conductor-master', since)).flatMap(
    ({ message, fields }) => {
      const { job = '', minion = '' } = fields;
      return message === 'Report stored' ? [{ what: 'committed' as const, job, minion }] : [];
    },
  );
  for (const { id, kind } of jobs.filter((job) => isSince(job.id, since))) {
    const known = await stateOf(site, id);
    // What a minion ran by itself nobody has issued: there is only its report.
    happenings.push(...(kind === 'job' ? known : known.filter(({ what }) => what === 'report')));
  }
  return happenings;
}

async function stateOf({ conductor }: Site, job: string): Promise<Happening[]> {
  const { targets } = await askMaster(conductor, `/jobs/${job}`, shownSchema);
  const happenings = targets.map(async ({ minion, state }): Promise<Happening[]> => {
    const path = `/jobs/${job}/reports/${minion}`;
    const { report } = await askMaster(conductor, path, reportSchema);
    return [
      { what: 'issued', job, minion },
      { what: 'state', job, minion, state },
      ...(report === null ? [] : [{ what: 'report' as const, job, minion, status: report.status }]),
    ];
  });
  return (await Promise.all(happenings)).flat();
}

async function minionHappenings(host: Host, since: number): Promise<Happening[]> {
  const minion = host.name;
  const told = await lines(host, 'conductor-minion', since);
  const happenings = told.flatMap(({ message, fields }): Happening[] => {
    const { job = '', start = '', status = '' } = fields;
    if (message === 'Run started') return [{ what: 'started', job, minion, start: Number(start) }];
    return message === 'Run ended' ? [{ what: 'ended', job, minion, status }] : [];
  });
  for (const where of ['spool', 'jobs']) {
    const names = await sh(host, `ls ${MINION_STATE}/${where}`);
    const ids = names.match(/^[0-9a-f-]{36}(?=\.json$)/gmu) ?? [];
    happenings.push(...ids.map((job) => ({ what: 'left' as const, job, minion, where })));
  }
  return happenings;
}

/** Ids begin with the millisecond in which they were made. */
function isSince(job: string, since: number): boolean {
  return Number.parseInt(job.replaceAll('-', '').slice(0, 12), 16) >= since * 1000;
}

interface Line {
  readonly message: string;
  readonly fields: Readonly<Record<string, string>>;
}

/** Lines of a service's log: constant words, then `name=value`. Runs of jobs that are older are left out. */
async function lines(host: Host, unit: string, since: number): Promise<Line[]> {
  const text = await sh(
    host,
    `journalctl --no-pager --output cat --unit ${unit} --since @${since} || true`,
  );
  return text.split('\n').flatMap((line) => {
    const [message = ''] = line.split(/ (?=[A-Za-z]+=)/u);
    const fields = Object.fromEntries(
      [...line.matchAll(/(?:^| )([A-Za-z]+)=([^\s"]+)/gu)].map(([, name = '', value = '']) => [
        name,
        value,
      ]),
    );
    return isSince(fields['job'] ?? '', since) ? [{ message, fields }] : [];
  });
}
