import { type Command, Option } from 'commander';
import { z } from 'zod';
import type { Common } from './context.ts';
import { type Format, FORMATS } from './follow-job.ts';

/** `--output`, of all commands that follow a job. */
export function withOutput(command: Command): Command {
  return command.addOption(new Option('--output <format>', 'how to print').choices(FORMATS));
}

export const outputSchema = z.enum(FORMATS).optional();

/** `--json` is short for one of them. */
export function formatOf({ json }: Pick<Common, 'json'>, output: Format | undefined): Format {
  return output ?? (json ? 'json' : 'text');
}
