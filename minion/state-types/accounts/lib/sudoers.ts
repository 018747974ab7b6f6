import { textFrom } from '../../lib/text-source.ts';
import type { Grant } from '../sudo-schema.ts';

/** The text of a file of rules: the one that is given, or one made of who may run what. */
export function ruleText(args: Grant): string {
  const { users = [], groups = [], commands, runas = 'ALL', nopasswd, setenv } = args;
  if (commands === undefined) return textFrom(args);
  const who = [...users.map(escaped), ...groups.map((group) => `%${escaped(group)}`)].join(', ');
  const tags = `${nopasswd === true ? 'NOPASSWD: ' : ''}${setenv === true ? 'SETENV: ' : ''}`;
  const what = commands.map(escapedCommand).join(', ');
  return `${who} ALL=(${escaped(runas)}) ${tags}${what}\n`;
}

/** Names may hold no mark that sudoers gives a meaning to. */
function escaped(name: string): string {
  return name.replaceAll(/[^\w.-]/gu, String.raw`\$&`);
}

/** Commas and the like separate; `*` and `?` in a command stay patterns. */
function escapedCommand(command: string): string {
  return command.replaceAll(/[,:=\\]/gu, (mark) => `\\${mark}`);
}
