import { converge as convergeArgs } from '../../minion/engine/converge.ts';
import type { Convergence, ConvergeOptions } from '../../minion/engine/converge.ts';
import type { StateType } from '../../minion/engine/state-type.ts';
import type { Host } from '../../minion/host/host.ts';

export const forReal: ConvergeOptions = { dryRun: false };
export const dryRun: ConvergeOptions = { dryRun: true };
/** Something that the state watches has changed. */
export const notified: ConvergeOptions = { dryRun: false, notified: true };

/** Converges a state as a tree would write it: its arguments go through the type's schema first. */
export async function converge(
  type: StateType,
  declared: unknown,
  host: Host,
  options: ConvergeOptions,
): Promise<Convergence> {
  return convergeArgs(type, type.schema.parse(declared), host, options);
}
