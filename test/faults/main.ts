import { Command } from 'commander';
import { openSite } from '../e2e/installed-hosts.ts';
import { checkPrerequisites, describeMissing } from '../hosts/prerequisites.ts';
import { FAULTS } from './all.ts';
import { inflict, renderResults } from './fault.ts';
import type { Fault, FaultResult } from './fault.ts';
import { randomFrom } from './random.ts';

/** `npm run test:faults [-- --rounds N --seed N --only WORDS]`: what is lost under faults, on real hosts. Nothing, or it exits with 1. */

interface Options {
  readonly rounds?: string;
  readonly seed: string;
  readonly minutes: string;
  readonly only: string;
}

const options = new Command('test:faults')
  .description('Does every fault to a master and a minion on test hosts, and says what was lost')
  .option('--rounds <number>', 'how often to do the faults that are done at random moments')
  .option(
    '--seed <number>',
    'of the moments; the table says which it was',
    String(Date.now() % 1e6),
  )
  .option('--minutes <number>', 'how long a network is cut, and the like', '2')
  .option('--only <words>', 'only faults with these words in their name', '')
  .parse()
  .opts<Options>();

const asked = FAULTS.filter(({ name }) => name.includes(options.only));
if (asked.length === 0) {
  console.error(
    `There is no fault "${options.only}". There are:\n${FAULTS.map(({ name }) => name).join('\n')}`,
  );
  process.exit(2);
}
const missing = await checkPrerequisites();
if (missing.length > 0) {
  console.log(`NOT TESTED, because this machine lacks ${missing.map(describeMissing).join(', ')}`);
  process.exit(1);
}
process.exitCode = await inflictAll(asked);

function log(line: string): void {
  console.log(`# ${line}`);
}

async function inflictAll(faults: readonly Fault[]): Promise<number> {
  const [seed, minutes] = [Number(options.seed), Number(options.minutes)];
  const site = await openSite(log);
  const results: FaultResult[] = [];
  try {
    for (const fault of faults) {
      console.log(`== ${fault.name}`);
      const rounds = Number(fault.rounds === null ? 1 : (options.rounds ?? fault.rounds));
      const random = randomFrom(seed);
      const result = await inflict(fault, { site, rounds, minutes, seed, random, log });
      results.push(result);
      for (const loss of result.lost) console.log(`LOST ${loss}`);
    }
  } finally {
    await site.fleet.close();
  }
  console.log(`\n${renderResults(results)}`);
  const failed = results.filter(({ lost }) => lost.length > 0).length;
  console.log(`${results.length - failed} passed, ${failed} failed`);
  return failed === 0 ? 0 : 1;
}
