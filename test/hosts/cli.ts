/** Looks after the test hosts on this machine: `npm run host -- --help`. */
import { spawnSync } from 'node:child_process';
import { Command, Option } from 'commander';
import { enter, findLeader } from './enter.ts';
import { SYSTEM_PATH } from './command.ts';
import { HostError } from './host-error.ts';
import { openFleet } from './hosts.ts';
import { ensureImage, removeImages } from './image.ts';
import type { ImageName } from './recipe.ts';
import { withLock } from './lock.ts';
import { checkPrerequisites, describeMissing, installPrerequisites } from './prerequisites.ts';
import { isAbandoned, readFleets } from './records.ts';
import type { FleetRecord, HostRecord } from './records.ts';
import { readSurroundings } from './surroundings.ts';
import { FLEETS_LOCK, tearDownAbandoned } from './teardown.ts';

interface Found {
  readonly fleet: FleetRecord;
  readonly host: HostRecord;
}

const program = new Command('host').description('Looks after the test hosts on this machine');

program
  .command('list')
  .description(
    'every test host: fleet/name, address, whether it is on, the process id of its systemd',
  )
  .action(list);

program
  .command('shell')
  .description('enter a host; or run one program on it')
  .argument('<name>', 'the name of a host, or fleet/name')
  .argument('[program...]', 'a program and its arguments, after --; a login shell if absent')
  .action(shell);

program
  .command('boot')
  .description('boot a host of its own and keep it until Ctrl-C')
  .argument('<name>', 'its host name')
  .addOption(
    new Option('--image <image>', 'what it starts as').choices(['base', 'full']).default('base'),
  )
  .action(boot);

program
  .command('clean')
  .description('clear away what killed processes have left behind')
  .option('--images', 'also throw away the cached images')
  .action(clean);

program
  .command('prepare')
  .description('install what test hosts need on this machine, and make both images')
  .action(prepare);

try {
  await program.parseAsync();
} catch (error) {
  if (!(error instanceof HostError)) throw error;
  console.error(error.message);
  process.exitCode = 1;
}

function list(): void {
  for (const { fleet, host } of everyHost()) {
    const leader = findLeader(host);
    const state = leader === null ? 'off' : `on ${leader}`;
    const remark = isAbandoned(fleet) ? ' (left behind: `clean` removes it)' : '';
    console.log(`${fleet.id}/${host.name}\t${host.address}\t${state}${remark}`);
  }
}

function shell(name: string, argv: readonly string[]): void {
  const host = findHost(name);
  const leader = findLeader(host);
  if (leader === null) throw new HostError(`Cannot enter host "${name}": it is off`);
  const [asked, ...rest] = argv;
  const [command, ...args] = enter(
    host,
    leader,
    asked === undefined ? loginShell() : [asked, ...rest],
    { cwd: '/root' },
  );
  const { environment } = readSurroundings();
  const own = { PATH: SYSTEM_PATH, HOME: '/root', USER: 'root', LOGNAME: 'root', LANG: 'C.UTF-8' };
  const env = { ...own, TERM: process.env['TERM'] ?? 'dumb', ...environment };
  const { status } = spawnSync(command, args, { stdio: 'inherit', env });
  process.exitCode = status ?? 1;
}

/** On a terminal, one that the host itself knows: this machine's is not in the host's /dev. */
function loginShell(): readonly [string, ...string[]] {
  if (!process.stdin.isTTY) return ['bash', '--login'];
  return ['script', '--quiet', '--return', '--command', 'bash --login', '/dev/null'];
}

async function boot(name: string, { image }: { image: ImageName }): Promise<void> {
  const fleet = await openFleet({ log: console.log });
  await fleet.boot({ name, image });
  console.log(`npm run host -- shell ${fleet.id}/${name}`);
}

async function clean({ images = false }: { images?: boolean }): Promise<void> {
  await withLock(FLEETS_LOCK, async () => {
    for (const id of tearDownAbandoned()) console.log(`cleared away fleet "${id}"`);
    if (!images) return;
    const [used] = everyHost();
    if (used !== undefined) {
      throw new HostError(
        `Cannot remove the images: host "${used.fleet.id}/${used.host.name}" stands on one`,
      );
    }
    removeImages();
  });
}

async function prepare(): Promise<void> {
  await installPrerequisites(console.log);
  const missing = await checkPrerequisites();
  if (missing.length > 0)
    throw new HostError(`This machine lacks ${missing.map(describeMissing).join(', ')}`);
  await ensureImage('full', readSurroundings(), console.log);
}

function everyHost(): Found[] {
  return readFleets().flatMap((fleet) => fleet.hosts.map((host) => ({ fleet, host })));
}

function findHost(name: string): HostRecord {
  const fitting = everyHost().filter(
    ({ fleet, host }) => name === host.name || name === `${fleet.id}/${host.name}`,
  );
  const [only, ...others] = fitting;
  if (only === undefined)
    throw new HostError(`Cannot find host "${name}": \`list\` shows those there are`);
  if (others.length === 0) return only.host;
  const names = fitting.map(({ fleet, host }) => `${fleet.id}/${host.name}`);
  throw new HostError(`Cannot tell which "${name}" is meant: ${names.join(', ')}`);
}
