import { posix } from 'node:path';
import type { HostView } from '../../../host/host.ts';

/** Files of sysctl.d. Their bytes stand for themselves (Latin-1), so that lines of others stay as they are. */

/** Where a parameter is below /proc/sys. As sysctl reads it: what comes first, dot or slash, separates. */
export function parameterPath(name: string): string {
  if (/[./]/u.exec(name)?.[0] === '/') return name;
  return name.replaceAll(/[./]/gu, (mark) => (mark === '.' ? '/' : '.'));
}

const SETTING = /^\s*-?\s*(?<name>[^#;=\s][^=]*?)\s*=\s*(?<value>.*?)\s*$/u;

/** The value that a file gives a parameter: its last one; `null` if it says nothing of it. */
export function settingIn(text: string, name: string): string | null {
  const last = text.split('\n').findLast((line) => isSettingOf(line, name));
  const value = SETTING.exec(last ?? '')?.groups?.['value'];
  return value === undefined ? null : value.replaceAll(/\s+/gu, ' ');
}

function isSettingOf(line: string, name: string): boolean {
  const found = SETTING.exec(line)?.groups?.['name'];
  return found !== undefined && parameterPath(found) === parameterPath(name);
}

/** The file with this one value: in place of the first line that gives one, or at the end. */
export function withSetting(text: string, name: string, value: string): string {
  const lines = text === '' ? [] : text.replace(/\n$/u, '').split('\n');
  const first = lines.findIndex((line) => isSettingOf(line, name));
  const written = Buffer.from(`${name} = ${value}`, 'utf8').toString('latin1');
  const changed = first === -1 ? [...lines, written] : lines.with(first, written);
  const kept = changed.filter(
    (line, index) => index === first || line === written || !isSettingOf(line, name),
  );
  return `${kept.join('\n')}\n`;
}

/** Whose file of one name counts, the first one first. */
const DIRECTORIES = ['/etc/sysctl.d', '/run/sysctl.d', '/usr/lib/sysctl.d'] as const;

/** The files that are read at boot after this one, in that order: by their names, wherever they stand. */
export async function readAfter(config: string, host: HostView): Promise<readonly string[]> {
  if (DIRECTORIES.every((directory) => directory !== posix.dirname(config))) return [];
  const paths = new Map<string, string>();
  for (const directory of DIRECTORIES.toReversed())
    for (const name of (await host.list(directory)) ?? [])
      if (name.endsWith('.conf') && name > posix.basename(config))
        paths.set(name, `${directory}/${name}`);
  return [...paths.keys()].toSorted().flatMap((name) => paths.get(name) ?? []);
}
