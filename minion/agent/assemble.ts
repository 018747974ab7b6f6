import { nodeCrypto } from '../../protocol/node-crypto.ts';
import type { Logger } from '../../shared/log.ts';
import { VERSION } from '../../shared/version.ts';
import type { Configuration } from '../config.ts';
import type { Programs } from '../programs.ts';
import type { AgentParts } from './agent.ts';
import { createCore } from './core.ts';
import { minionAtRest, minionIdentity } from './identity.ts';
import { readFactsApart } from './read-facts.ts';
import { startRunChild } from './run-child.ts';
import { mastersOf } from './trust.ts';

export interface AssembleParts {
  readonly config: Configuration;
  readonly programs: Programs;
  readonly log: Logger;
  readonly signal: AbortSignal;
}

/** An agent as it is in life, made of this machine's own parts. Nothing runs yet. */
export async function assembleAgent({
  config,
  programs,
  log,
  signal,
}: AssembleParts): Promise<Omit<AgentParts, 'intentions'>> {
  const { state_directory: stateDirectory, id: minion } = config;
  const identity = await minionIdentity(nodeCrypto, stateDirectory);
  const core = createCore({
    minion,
    stateDirectory,
    atRest: await minionAtRest(nodeCrypto, stateDirectory),
    masters: () => mastersOf(config, log),
    startChild: (request, onEvent) =>
      startRunChild({ program: programs.run, onEvent, log }, request),
    readFacts: () => readFactsApart(programs.minion),
    log,
    now: () => new Date(),
  });
  return {
    core,
    config,
    minion,
    identity,
    crypto: nodeCrypto,
    version: VERSION,
    signal,
    random: Math.random,
    log,
  };
}
