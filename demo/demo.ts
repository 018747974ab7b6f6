/**
 * `npm run demo`: from nothing to a Django app on a Debian server, and to its drift repaired. With `--check` it ends by
 * itself: exit code 0 if everything was as it should be, and the last line of its output is JSON with the counts.
 */
import { once } from 'node:events';
import { performance } from 'node:perf_hooks';
import { inspect } from 'node:util';
import { HostError } from '../test/hosts/host-error.ts';
import { untilOnline } from '../test/e2e/installed-hosts.ts';
import { ensurePackage } from '../test/e2e/package.ts';
import { openFleet } from '../test/hosts/hosts.ts';
import type { Fleet } from '../test/hosts/hosts.ts';
import { installPrerequisites } from '../test/hosts/prerequisites.ts';
import { install, join, reachesPyPI, serveApp } from './hosts.ts';
import type { Site } from './hosts.ts';
import { createNarrator } from './narrate.ts';
import { tour } from './tour.ts';
import { verdict } from './verdict.ts';

const isCheck = process.argv.includes('--check');
/** As if PyPI could not be reached. */
const isOffline = process.argv.includes('--offline');
const begun = performance.now();
const narrator = createNarrator();

process.exitCode = await main();

async function main(): Promise<number> {
  narrator.phase('machine', 'this machine');
  await installPrerequisites(narrator.say);
  const fleet = await openFleet({ log: narrator.say });
  try {
    return await demonstrate(fleet);
  } catch (error) {
    await explain(error, fleet);
    return 1;
  } finally {
    await fleet.close();
  }
}

async function demonstrate(fleet: Fleet): Promise<number> {
  narrator.phase('boot', 'a package of Conductor, and two Debian hosts');
  const [deb, site] = await Promise.all([buildPackage(), boot(fleet)]);
  await setUp(site, deb);
  const usesPyPI = await choosePython(site);
  const results = await tour(site, narrator, { usesPyPI });

  const phases = narrator.end();
  const total = Math.round((performance.now() - begun) / 100) / 10;
  const { summary, mistakes } = verdict(results, { ...phases, total });
  for (const mistake of mistakes) console.log(`error: ${mistake}`);
  if (!isCheck) await linger(fleet, site);
  console.log(JSON.stringify(summary));
  return mistakes.length === 0 ? 0 : 1;
}

/** What went wrong, and what the daemons said last. */
async function explain(error: unknown, fleet: Fleet): Promise<void> {
  for (const host of fleet.hosts) {
    console.log(`\n== the journal of Conductor on ${host.name}`);
    const units = ['--unit=conductor-master', '--unit=conductor-minion'];
    const argv = ['journalctl', '--no-pager', '--lines=30', ...units] as const;
    console.log((await host.exec([...argv], { allowFailure: true })).stdout.trimEnd());
  }
  console.error(`\nerror: ${error instanceof HostError ? error.message : inspect(error)}`);
}

/** Made from this checkout, unless that has been done before. */
async function buildPackage(): Promise<string> {
  const path = await ensurePackage();
  narrator.say(`the package is ${path}`);
  return path;
}

async function boot(fleet: Fleet): Promise<Site> {
  const conductor = await fleet.boot({ name: 'conductor', image: 'full' });
  const appserver = await fleet.boot({ name: 'appserver', image: 'full' });
  return { conductor, appserver };
}

/** A master with a tree, and both hosts as its minions. */
async function setUp(site: Site, deb: string): Promise<void> {
  const { conductor, appserver } = site;
  narrator.phase('install', 'Conductor is installed');
  await Promise.all([install(conductor, deb, narrator), install(appserver, deb, narrator)]);
  await serveApp(site);
  narrator.phase('join', 'a master, and two minions that join it');
  await narrator.show(conductor, ['master', 'init']);
  await narrator.show(conductor, ['systemctl', 'enable', '--now', '--quiet', 'conductor-master']);
  await join(conductor, ['conductor'], site, narrator);
  await join(appserver, ['appserver', 'database'], site, narrator);
  await untilOnline(site, [conductor.name, appserver.name]);
  await narrator.show(conductor, ['master', 'status']);
}

/** Writes what is special here into the tree's pillar: the git port, and where Python packages come from. */
async function choosePython({ conductor, appserver }: Site): Promise<boolean> {
  narrator.phase('site', "this site's own settings");
  const usesPyPI = !isOffline && (await reachesPyPI(appserver));
  const settings = ['# What differs at this site.', 'firewall: {tcp: [9418]} # git'];
  if (!usesPyPI) {
    narrator.say(
      'PyPI cannot be reached: Django and gunicorn come from Debian, and supervisor in place of circus',
    );
    settings.push('process_manager: supervisor', 'python_packages_from: debian');
  }
  await conductor.write('/srv/conductor/pillars/site/demo.yaml', `${settings.join('\n')}\n`);
  for (const line of settings) narrator.say(line);
  return usesPyPI;
}

async function linger(fleet: Fleet, { conductor, appserver }: Site): Promise<void> {
  const lines = [
    '',
    'Both hosts go on running until Ctrl-C.',
    `  add to /etc/hosts:  ${appserver.address} hello.demo greetings.demo`,
    '  then open           http://hello.demo/  http://hello.demo/admin/  http://greetings.demo/',
    `  or                  curl --header 'Host: hello.demo' http://${appserver.address}/`,
    `  a shell:            npm run host -- shell ${fleet.id}/${conductor.name}`,
    `                      npm run host -- shell ${fleet.id}/${appserver.name}`,
    '  try                 master status; master apply --target appserver --dry-run; master docs nginx.site',
  ];
  for (const line of lines) console.log(line);
  process.prependOnceListener('SIGINT', () => console.log('\nClearing both hosts away …'));
  await once(process, 'SIGINT');
}
