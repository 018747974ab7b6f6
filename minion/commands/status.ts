import type { Command } from 'commander';
import { pauseIn } from '../agent/pause.ts';
import type { Configuration } from '../config.ts';
import { askAgent, isAnswered } from '../agent/local-socket.ts';
import { pauseSchema } from '../../protocol/pause.ts';
import type { Holder } from '../../protocol/report.ts';
import { holderOf } from '../run/holder.ts';
import { EXIT } from '../../shared/exit-codes.ts';
import { pauseWords } from '../../shared/pause.ts';
import { renderHolder } from '../../shared/render-holder.ts';
import { configFor, logOf, withCommon } from './context.ts';
import type { CommonOptions, Context } from './context.ts';

export function addStatus(program: Command, context: Context): void {
  const { terminal } = context;
  withCommon(program.command('status'))
    .description("Print how this minion's agent is (exits with 3 if none is running)")
    .option('--json', 'print one JSON document')
    .action(async ({ json = false, ...options }: CommonOptions & { json?: boolean }) => {
      const config = await configFor(context, options);
      const isRunning = await isAnswered(config.socket);
      const status = isRunning ? await agentStatus(config) : keptStatus(context, config);
      if (!isRunning) context.exit(EXIT.offline);
      const run = holderOf(config.state_directory);
      if (json) return terminal.out(JSON.stringify({ isRunning, ...status, run }));
      const { running = null, ...rest } = status;
      for (const [key, value] of Object.entries({
        isRunning,
        ...rest,
        run: runWords(run, running),
      }))
        terminal.out(`${words(key)}: ${key === 'paused' ? pausedWords(value) : shown(value)}`);
    });
}

/** The run that is under way here, whoever has started it; one of the agent's may wait for files, or have told its end. */
function runWords(run: Holder | null, ofAgent: unknown): string | null {
  if (run !== null) return renderHolder(run);
  return typeof ofAgent === 'string' ? `job ${ofAgent} (about to begin, or just ended)` : null;
}

/** What an agent will find that starts now. */
function keptStatus(
  context: Context,
  { id, state_directory }: Configuration,
): Record<string, unknown> {
  const parts = { now: () => new Date(), log: logOf(context, 'error') };
  return { minion: id, paused: pauseIn(state_directory, parts) };
}

async function agentStatus(config: Configuration): Promise<Record<string, unknown>> {
  for await (const line of askAgent(config, { ask: 'status' })) {
    const status: unknown = JSON.parse(line);
    if (typeof status === 'object' && status !== null) return { ...status };
  }
  return {};
}

/** `nextRefresh` as `next refresh`. */
function words(key: string): string {
  return key.replaceAll(/[A-Z]/gu, (letter) => ` ${letter.toLowerCase()}`);
}

function pausedWords(value: unknown): string {
  const pause = pauseSchema.safeParse(value);
  return pause.success ? `${pauseWords(pause.data)} (by the ${pause.data.by})` : 'no';
}

function shown(value: unknown): string {
  if (value === null) return 'none';
  if (typeof value === 'boolean') return value ? 'yes' : 'no';
  if (Array.isArray(value)) return value.length === 0 ? 'none' : value.join(', ');
  return typeof value === 'string' ? value : JSON.stringify(value);
}
