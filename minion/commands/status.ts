import type { Command } from 'commander';
import { askAgent, isAnswered } from '../agent/local-socket.ts';
import { EXIT } from '../../shared/exit-codes.ts';
import { configFor, withCommon } from './context.ts';
import type { CommonOptions, Context } from './context.ts';

export function addStatus(program: Command, context: Context): void {
  const { terminal } = context;
  withCommon(program.command('status'))
    .description("Print how this minion's agent is (exits with 3 if none is running)")
    .option('--json', 'print one JSON document')
    .action(async ({ json = false, ...options }: CommonOptions & { json?: boolean }) => {
      const { socket, id } = await configFor(context, options);
      const isRunning = await isAnswered(socket);
      const status = isRunning ? await agentStatus(socket) : { minion: id };
      if (!isRunning) context.exit(EXIT.offline);
      const document = { isRunning, ...status };
      if (json) terminal.out(JSON.stringify(document));
      else
        for (const [key, value] of Object.entries(document))
          terminal.out(`${words(key)}: ${shown(value)}`);
    });
}

async function agentStatus(socket: string): Promise<Record<string, unknown>> {
  for await (const line of askAgent(socket, 'status')) {
    const status: unknown = JSON.parse(line);
    if (typeof status === 'object' && status !== null) return { ...status };
  }
  return {};
}

/** `nextRefresh` as `next refresh`. */
function words(key: string): string {
  return key.replaceAll(/[A-Z]/gu, (letter) => ` ${letter.toLowerCase()}`);
}

function shown(value: unknown): string {
  if (value === null) return 'none';
  if (typeof value === 'boolean') return value ? 'yes' : 'no';
  if (Array.isArray(value)) return value.length === 0 ? 'none' : value.join(', ');
  return typeof value === 'string' ? value : JSON.stringify(value);
}
