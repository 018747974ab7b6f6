import { mkdirSync } from 'node:fs';
import { text } from 'node:stream/consumers';
import { z } from 'zod';
import type { StateType } from '../../../minion/engine/state-type.ts';
import { readFacts } from '../../../minion/facts/facts.ts';
import { createLogger } from '../../../shared/log.ts';
import { caseSchema } from './case.ts';
import type { Finding } from './finding.ts';
import { LABORATORY } from './places.ts';
import { playRound } from './round.ts';
import { examine } from './run-case.ts';

const orderSchema = z.array(
  z.strictObject({ type: z.string(), name: z.string(), case: z.unknown() }),
);

/** The half of the runner that is on the host: takes cases on standard input, and tells what it finds a line at a time. */
export async function serve(types: ReadonlyMap<string, StateType>): Promise<void> {
  process.umask(0o022);
  mkdirSync(LABORATORY, { recursive: true, mode: 0o700 });
  const isRound = process.argv[2] === 'round';
  const write = (line: string): void => void (isRound && process.stderr.write(line));
  const log = createLogger({ name: 'contract', level: 'debug', write });
  const world = { types, facts: await readFacts(), log };
  if (isRound) return playRound(world);
  for (const order of orderSchema.parse(JSON.parse(await text(process.stdin)))) {
    await examine({ ...order, case: caseSchema.parse(order.case) }, world, tell);
  }
}

function tell(finding: Finding): void {
  process.stdout.write(`${JSON.stringify(finding)}\n`);
}
