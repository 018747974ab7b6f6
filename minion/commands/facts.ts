import type { Command } from 'commander';
import { readFacts } from '../facts/facts.ts';
import { ConductorError } from '../../shared/errors.ts';
import { didYouMean } from '../../shared/suggest.ts';
import { escapeControls } from '../../shared/log.ts';
import type { Context } from './context.ts';

export function addFacts(program: Command, { terminal }: Context): void {
  program
    .command('facts')
    .description('Print what this minion knows about its machine')
    .argument('[names...]', 'only these facts')
    .option('--json', 'print one JSON document')
    .action(async (names: string[], { json = false }: { json?: boolean }) => {
      const known = await readFacts();
      refuseUnknown(names, Object.keys(known));
      const all = Object.entries(known);
      const facts = all.filter(([name]) => names.length === 0 || names.includes(name));
      if (json) terminal.out(JSON.stringify(Object.fromEntries(facts)));
      else for (const [name, value] of facts) terminal.out(`${name}: ${shown(value)}`);
    });
}

function refuseUnknown(names: readonly string[], known: readonly string[]): void {
  const unknown = names.find((name) => !known.includes(name));
  if (unknown === undefined) return;
  const meant = didYouMean(unknown, known) || ': "minion facts" without names prints all';
  throw new ConductorError('USAGE', `Cannot print the fact "${unknown}": there is none${meant}`);
}

function shown(value: unknown): string {
  return escapeControls(typeof value === 'string' ? value : JSON.stringify(value));
}
