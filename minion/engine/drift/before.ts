import type { Declaration } from '../../../language/declaration.ts';
import type { Before } from '../../../protocol/report.ts';
import { canonicalJson } from '../../../shared/canonical-json.ts';
import type { Change } from '../../../shared/change.ts';
import { isTreeFile } from '../../../shared/tree-file.ts';
import type { FileStatus, HostView } from '../../host/host.ts';
import { typeOf } from '../context.ts';
import type { RunContext } from '../context.ts';
import { loggable } from '../redaction.ts';
import type { StateType } from '../state-type.ts';
import { LIMITS } from './contents.ts';
import { mayHoldFormerSecret } from './held.ts';
import type { Seen } from './wish.ts';

/** The one file that a declaration manages, as it stands there before it is changed. */
export interface Found {
  readonly path: string;
  readonly status: FileStatus;
}

/** `null` if it manages none, none is there, or it cannot be looked at: that is for the state itself to say. */
export async function foundFor(
  declaration: Declaration,
  context: RunContext,
  host: HostView,
): Promise<Found | null> {
  const path = pathOf(typeOf(context, declaration), declaration.args);
  if (path === null) return null;
  try {
    const status = await host.status(path);
    // A directory's clock says nothing of what is in it.
    return status?.kind === 'file' || status?.kind === 'symlink' ? { path, status } : null;
  } catch (error) {
    context.log.debug({ error: loggable(error, context.redaction) }, 'No clock of a state');
    return null;
  }
}

function pathOf(type: StateType, args: unknown): string | null {
  const own = type.path?.(args);
  if (own !== undefined) return own;
  const [first = ''] = type.provides?.(args) ?? [];
  return first.startsWith('path:') ? first.slice('path:'.length) : null;
}

interface Taken {
  readonly declaration: Declaration;
  readonly change: Change;
  readonly found: Found;
  readonly seen: Seen;
}

/** What the host's clocks say of it, and where its content is kept; a dry run keeps nothing. */
export async function beforeOf(taken: Taken, context: RunContext, host: HostView): Promise<Before> {
  const { mtimeMs, ctimeMs } = taken.found.status;
  const times = {
    modifiedAt: new Date(mtimeMs).toISOString(),
    changedAt: new Date(ctimeMs).toISOString(),
  };
  if (context.dryRun || !losesContent(taken)) return times;
  return { ...times, ...(await keep(taken, context, host)) };
}

const OWNERSHIP: ReadonlySet<string> = new Set(['user', 'group', 'mode', 'attrs']);

function losesContent({ change, found }: Taken): boolean {
  if (found.status.kind !== 'file') return false;
  if (change.action !== 'update') return true;
  return Object.keys(change.to).some((name) => !OWNERSHIP.has(name));
}

async function keep(
  taken: Taken,
  context: RunContext,
  host: HostView,
): Promise<Pick<Before, 'kept' | 'notKept'>> {
  const { path, status } = taken.found;
  try {
    if (hidesContent(taken, context)) return SECRET;
    if (status.size > LIMITS.largest) return { notKept: 'it is too large' };
    const content = await host.readFile(path);
    if (content === null) return {};
    if (isSecret(content, context)) return SECRET;
    return context.memory.contents.keep(content);
  } catch (error) {
    context.log.warn({ error: loggable(error, context.redaction) }, 'Content could not be kept');
    return { notKept: 'it could not be written down' };
  }
}

const SECRET = { notKept: 'it may hold a secret' } as const;

/** Where the tree puts a secret, an earlier one may stand, which nobody would recognize. */
function hidesContent({ declaration, seen }: Taken, context: RunContext): boolean {
  if (mayHoldFormerSecret(declaration, context)) return true;
  const { args } = declaration;
  const given = typeof args === 'object' && args !== null ? args : {};
  if ('show_changes' in given && given.show_changes === false) return true;
  const hidden = context.secretNames(typeOf(context, declaration));
  if (Object.keys(given).some((name) => hidden.has(name))) return true;
  return holdsSecret(canonicalJson([textsIn(given), seen]), context);
}

/** With what the tree's files hold in place of them. */
function textsIn(value: unknown): unknown {
  if (isTreeFile(value)) return asText(value.read());
  if (Array.isArray(value)) return value.map((item: unknown) => textsIn(item));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, textsIn(item)]));
}

function isSecret(content: Uint8Array, context: RunContext): boolean {
  const text = asText(content);
  return text.includes('PRIVATE KEY-----') || holdsSecret(text, context);
}

function holdsSecret(text: string, { redaction: { redact } }: RunContext): boolean {
  return redact(text) !== text;
}

function asText(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('utf8');
}
