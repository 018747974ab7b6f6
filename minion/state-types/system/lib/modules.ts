import { posix } from 'node:path';
import type { HostView } from '../../../host/host.ts';
import { followLinks } from '../../lib/ownership.ts';

/** Modules of the kernel. In their names `-` and `_` are the same. */

const LISTS = '/etc/modules-load.d';
/** Where modules are listed that no other file lists. */
export const OWN_LIST = `${LISTS}/conductor.conf`;

function plain(name: string): string {
  return name.trim().replaceAll('-', '_');
}

async function textOf(path: string, host: HostView): Promise<string> {
  return Buffer.from((await host.readFile(path)) ?? []).toString('latin1');
}

export async function loadedModules(host: HostView): Promise<ReadonlySet<string>> {
  const lines = (await textOf('/proc/modules', host)).split('\n');
  return new Set(lines.flatMap((line) => (line === '' ? [] : [plain(line.split(' ')[0] ?? '')])));
}

export async function builtinModules(host: HostView): Promise<ReadonlySet<string>> {
  const release = (await textOf('/proc/sys/kernel/osrelease', host)).trim();
  const lines = (await textOf(`/lib/modules/${release}/modules.builtin`, host)).split('\n');
  return new Set(
    lines.flatMap((line) =>
      line === '' ? [] : [plain(posix.basename(line).replace(/\.ko.*$/u, ''))],
    ),
  );
}

/** The text of every file that lists modules to load at boot, by its real path. */
export async function moduleLists(host: HostView): Promise<ReadonlyMap<string, string>> {
  const names = ((await host.list(LISTS)) ?? []).filter((name) => name.endsWith('.conf'));
  const lists = new Map<string, string>();
  for (const path of ['/etc/modules', ...names.map((name) => `${LISTS}/${name}`)]) {
    const real = await followLinks(path, host);
    if ((await host.status(real))?.kind === 'file') lists.set(real, await textOf(real, host));
  }
  return lists;
}

export function modulesIn(text: string): string[] {
  return text.split('\n').flatMap((line) => moduleOf(line) ?? []);
}

/** The module that a line lists; options may follow it. */
function moduleOf(line: string): string | null {
  const [name = ''] = line.trim().split(/\s+/u);
  return name === '' || /^[#;]/u.test(name) ? null : plain(name);
}

export function withModule(text: string, name: string): string {
  return `${text === '' || text.endsWith('\n') ? text : `${text}\n`}${name}\n`;
}

/** The list without a module, its line made a remark or removed. */
export function withoutModule(text: string, name: string, comment: boolean): string {
  const lines = text.split('\n');
  const left = comment
    ? lines.map((line) => (moduleOf(line) === name ? `# ${line}` : line))
    : lines.filter((line) => moduleOf(line) !== name);
  return left.join('\n');
}
