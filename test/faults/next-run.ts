import { apply, until, untilOnline } from '../e2e/installed-hosts.ts';
import type { Site } from '../e2e/installed-hosts.ts';
import { allHaveEnded } from './collect.ts';
import { lackingOf } from './gates.ts';

/** What is lacking once everything has come to rest by itself, and a run with nothing in its way has been. */
export async function lackingAfterNextRun(site: Site, version: number): Promise<string[]> {
  await untilOnline(site, ['appserver', 'conductor'], 120);
  await until('all jobs to end', 120, () => allHaveEnded(site));
  const { exitCode } = await apply(site, 'appserver');
  const lacking = await lackingOf(site.appserver, version);
  return [
    ...(exitCode === 0 ? [] : [`the next run exits with ${exitCode}`]),
    ...(lacking === null ? [] : [lacking]),
  ];
}
