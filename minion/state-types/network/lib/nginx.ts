import { createHash } from 'node:crypto';
import { ConductorError } from '../../../../shared/errors.ts';
import type { Host, HostView, Output } from '../../../host/host.ts';
import type { Piece } from '../../lib/rehearse.ts';
import { refuseConfiguration } from '../../lib/staged.ts';
import type { Replacement } from '../../lib/staged.ts';

type ConfigurationChange = Pick<Replacement, 'what' | 'directory' | 'pieces'>;

export const NGINX = '/etc/nginx';
/** Debian's unit runs it with these, and so must whoever checks its configuration. */
const DIRECTIVES = ['-g', 'daemon on; master_process on;'] as const;
/** It makes the files that it is to log to, if they are missing. */
const CHECK = ['nginx', '-t', '-q', ...DIRECTIVES] as const;
/** As somebody who may read everything, such as keys, and write nothing: it gets no further than to have understood it. */
const LOOK = [
  'setpriv',
  '--reuid=nobody',
  '--regid=nogroup',
  '--clear-groups',
  '--inh-caps=-all,+dac_read_search',
  '--ambient-caps=-all,+dac_read_search',
  '--',
  'nginx',
  '-t',
  ...DIRECTIVES,
] as const;
/** It tries to bind a port for two and a half seconds before it gives up. */
const RELOAD_TIMEOUT_MS = 10_000;
const POLL_MS = 100;

export function sitePath(name: string): string {
  return `${NGINX}/sites-available/${name}`;
}

export function linkPath(name: string): string {
  return `${NGINX}/sites-enabled/${name}`;
}

/** What is to be remembered of a site once nginx serves it. */
export function fingerprint(content: string | null, enabled: boolean): string {
  const digest = createHash('sha256')
    .update(content ?? '')
    .digest('hex');
  return `${enabled ? 'enabled' : 'disabled'}:${digest}`;
}

/** What the registry says while a change is under way. */
export const PENDING = 'pending';

export function siteMark(name: string): string {
  return `nginx.site:${name}`;
}

export interface Site {
  readonly name: string;
  /** With no content it is taken away. */
  readonly content: string | null;
  readonly enabled: boolean;
  readonly reload: boolean;
}

/** The files of a site that is put in place or taken away. */
export function siteChange({ name, content, enabled }: Site): ConfigurationChange {
  const file: Piece = content === null ? null : { kind: 'file', content, mode: '0644' };
  const link: Piece = enabled ? { kind: 'symlink', to: sitePath(name) } : null;
  const pieces: [string, Piece][] = [
    [sitePath(name), file],
    [linkPath(name), link],
  ];
  return {
    what: `the nginx site "${name}"`,
    directory: NGINX,
    pieces: new Map(content === null ? pieces.toReversed() : pieces),
  };
}

export function siteReplacement(host: Host, site: Site): Replacement {
  const { name, content, enabled, reload } = site;
  const take = (): Promise<void> => (reload ? reloadNginx(host) : Promise.resolve());
  return {
    ...siteChange(site),
    check: CHECK,
    take,
    takeBack: take,
    mark: siteMark(name),
    taken: content === null ? null : fingerprint(content, enabled),
    pending: PENDING,
  };
}

export function snippetMark(path: string): string {
  return `nginx.snippet:${path}`;
}

export interface Snippet {
  readonly path: string;
  /** With no content it is taken away. */
  readonly content: string | null;
  readonly reload: boolean;
}

/** The file of a snippet that is put in place or taken away. */
export function snippetChange({ path, content }: Snippet): ConfigurationChange {
  const file: Piece = content === null ? null : { kind: 'file', content, mode: '0644' };
  return {
    what: `the nginx snippet "${path}"`,
    directory: NGINX,
    pieces: new Map([[path, file]]),
  };
}

export function snippetReplacement(host: Host, snippet: Snippet): Replacement {
  const { path, reload } = snippet;
  const take = (): Promise<void> => (reload ? reloadNginx(host) : Promise.resolve());
  return {
    ...snippetChange(snippet),
    check: CHECK,
    take,
    takeBack: take,
    mark: snippetMark(path),
    taken: null,
    pending: PENDING,
  };
}

/** Throws CHECK_FAILED if nginx does not understand its configuration with this change in it. */
export async function refuseMistakes(host: HostView, change: ConfigurationChange): Promise<void> {
  await refuseConfiguration({ ...change, check: LOOK, complaint: misunderstanding }, host);
}

/** What nginx says of a configuration that it does not understand; `null` if it does. */
export function misunderstanding({ exitCode, stderr }: Output): string | null {
  if (exitCode === 0 || stderr.includes('syntax is ok')) return null;
  const lines = stderr.trim().split('\n');
  const final = lines.filter((line) => line.includes('[emerg]')).map(withoutTime);
  return (final.length > 0 ? [...new Set(final)] : lines.slice(-6)).join('\n');
}

/**
 * Makes a running nginx use the configuration on disk and waits until it does: its master has
 * started new workers, and the old ones take no more requests. One that is not running will read the configuration
 * when it starts.
 */
export async function reloadNginx(host: Host): Promise<void> {
  if (!(await isActive(host))) return;
  const before = await workers(host);
  const log = await errorLogSize(host);
  await host.run(['systemctl', 'reload', 'nginx']);
  let settled: string | null = null;
  for (let waited = 0; waited < RELOAD_TIMEOUT_MS; waited += POLL_MS) {
    await host.sleep(POLL_MS);
    const now = await workers(host);
    if (now.master !== before.master) break; // it has died, and something else may have taken over
    const hasBegun = now.pids.some((pid) => !before.pids.includes(pid));
    const isTaken = hasBegun && (await areLeaving(before.pids, host)) && (await isActive(host));
    // Somebody else's reload just before may be the one that has begun: ours then follows at once.
    if (isTaken && now.pids.join(' ') === settled) return;
    settled = isTaken ? now.pids.join(' ') : null;
    if ((await complaintsSince(host, log)).some(isFinal)) break;
  }
  const complaints = (await complaintsSince(host, log)).slice(-3);
  const state = ['nginx did not take the new configuration', complaints.join('; ')];
  throw new ConductorError('CHECK_FAILED', state.filter((words) => words !== '').join(': '));
}

/** An old worker that still ends its requests says so in its title, and has stopped listening. */
async function areLeaving(pids: readonly string[], host: HostView): Promise<boolean> {
  for (const pid of pids) {
    const title = Buffer.from((await host.readFile(`/proc/${pid}/cmdline`)) ?? []).toString();
    if (title.startsWith('nginx: worker process') && !title.includes('shutting down')) return false;
  }
  return true;
}

async function isActive(host: HostView): Promise<boolean> {
  const { exitCode } = await host.query(['systemctl', 'is-active', '--quiet', 'nginx']);
  return exitCode === 0;
}

async function workers(host: HostView): Promise<{ master: string; pids: readonly string[] }> {
  const shown = await host.query(['systemctl', 'show', '--property=MainPID', '--value', 'nginx']);
  const master = shown.stdout.trim();
  const children = await host.readFile(`/proc/${master}/task/${master}/children`);
  const pids = children === null ? [] : Buffer.from(children).toString().trim().split(' ');
  return { master, pids: pids.filter((pid) => pid !== '') };
}

const ERROR_LOG = '/var/log/nginx/error.log';

async function errorLogSize(host: HostView): Promise<number> {
  return (await host.status(ERROR_LOG))?.size ?? 0;
}

/** What nginx wrote about it; a reload that fails says so nowhere else. */
async function complaintsSince(host: HostView, size: number): Promise<readonly string[]> {
  if ((await errorLogSize(host)) <= size) return [];
  const tail = await host.query(['tail', `--bytes=+${size + 1}`, '--', ERROR_LOG]);
  const lines = tail.stdout.split('\n').filter((line) => /\[(?:emerg|alert|crit)\]/u.test(line));
  return [...new Set(lines.map(withoutTime))];
}

function withoutTime(line: string): string {
  return line.replace(/^.*?\[\w+\] (?:\d+#\d+: )?/u, '');
}

/** It tries again to bind a port; anything else it does not get over. */
function isFinal(complaint: string): boolean {
  return !complaint.startsWith('bind() to ');
}
