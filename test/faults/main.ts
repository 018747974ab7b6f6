import { readFileSync } from 'node:fs';
import { Command } from 'commander';
import { checkPrerequisites, describeMissing } from '../hosts/prerequisites.ts';
import { FAULTS } from './all.ts';
import { inflictOnOwnSite, renderResults } from './fault.ts';
import type { Fault, FaultResult, Task } from './fault.ts';
import { inLanes, minutesIn, tasksOf } from './lanes.ts';

/** `npm run test:faults [-- --times N --only WORDS …]`: what is lost under faults, on real hosts. Nothing, or it exits with 1. */

const WATCHES_A_LANE = 24;
const BUSY_LANES = 2;
const IDLE_LANES = 3;

interface Options {
  readonly rounds?: string;
  readonly seed: string;
  readonly minutes: string;
  readonly only: readonly string[];
  readonly lanes: string;
  readonly idleLanes: string;
  readonly times: string;
}

const options = new Command('test:faults')
  .description('Does every fault to a master and a minion on test hosts, and says what was lost')
  .option('--rounds <number>', 'how often to do the faults that are done at random moments')
  .option(
    '--seed <number>',
    'of the moments; the table says which it was',
    String(Date.now() % 1e6),
  )
  .option('--minutes <number>', 'the longest that a network is cut, and the like', '60')
  .option('--only <words...>', 'only faults with one of these in their name', [''])
  .option('--lanes <number>', 'how many faults that are busy to do at once', String(BUSY_LANES))
  .option(
    '--idle-lanes <number>',
    'how many that mostly wait to do beside them',
    String(IDLE_LANES),
  )
  .option('--times <number>', 'how often to do it all, each time with other moments', '1')
  .parse()
  .opts<Options>();

const begun = Date.now();
const asked = FAULTS.filter(({ name }) => options.only.some((words) => name.includes(words)));
if (asked.length === 0) {
  console.error(
    `There is no fault "${options.only.join(' ')}". There are:\n${FAULTS.map(({ name }) => name).join('\n')}`,
  );
  process.exit(2);
}
const missing = await checkPrerequisites();
if (missing.length > 0) {
  console.log(`NOT TESTED, because this machine lacks ${missing.map(describeMissing).join(', ')}`);
  process.exit(1);
}
const lanes = { busy: Number(options.lanes), idle: Number(options.idleLanes) };
if (!(lanes.busy >= 1 && lanes.idle >= 0)) {
  console.error('Cannot use no lane: --lanes must be at least 1, --idle-lanes at least 0');
  process.exit(2);
}
process.exitCode = await inflictAll(asked);

/** Each host's systemd watches files in a dozen ways, and the kernel lets one user have so many. */
function refuseTooManyLanes(count: number): void {
  const path = '/proc/sys/fs/inotify/max_user_instances';
  const [have, need] = [Number(readFileSync(path, 'utf8')), count * WATCHES_A_LANE];
  if (have >= need) return;
  console.error(
    `Cannot use ${count} lanes: ${path} is ${have} and must be at least ${need}: sysctl -w fs.inotify.max_user_instances=${need} (or fewer --lanes and --idle-lanes)`,
  );
  process.exit(2);
}

async function inflictAll(faults: readonly Fault[]): Promise<number> {
  const [times, seed] = [options.times, options.seed].map(Number);
  const rounds = options.rounds === undefined ? null : Number(options.rounds);
  const tasks = tasksOf(faults, { times: times ?? 1, seed: seed ?? 1, rounds });
  refuseTooManyLanes(Math.min(tasks.length, lanes.busy + lanes.idle));
  const minutes = Math.round(minutesIn(tasks, lanes));
  console.log(
    `${tasks.length} tasks in ${lanes.busy} lanes, ${lanes.idle} more for those that wait: about ${minutes} minutes`,
  );
  const results = await inLanes(tasks, lanes, carryOut);
  console.log(`\n${renderResults(results)}`);
  const failed = results.filter(({ lost }) => lost.length > 0).length;
  console.log(`${results.length - failed} passed, ${failed} failed`);
  return failed === 0 ? 0 : 1;
}

async function carryOut(task: Task, lane: number): Promise<FaultResult> {
  const log = (line: string): void => {
    const seconds = Math.round((Date.now() - begun) / 1000);
    console.log(`${lane} ${String(seconds).padStart(5)} s  ${line}`);
  };
  log(`== ${task.name}, seed ${task.seed}`);
  const result = await inflictOnOwnSite(task, { minutes: Number(options.minutes), log });
  for (const loss of result.lost) log(`LOST ${loss}`);
  // Whoever stops this before its end has no table: here it is in pieces.
  const lost = result.lost.length === 0 ? 'nothing' : String(result.lost.length);
  log(`== ${task.name}: ${result.rounds} rounds in ${result.seconds} s, lost: ${lost}`);
  return result;
}
