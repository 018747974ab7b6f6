import { posix } from 'node:path';
import { ConductorError } from '../../../shared/errors.ts';
import type { FileStatus, HostView } from '../../host/host.ts';
import { isDirectory } from './ownership.ts';

/** Without these a minion runs nothing at all. */
const ALWAYS_THERE: ReadonlySet<string> = new Set(['/bin/sh', '/bin/bash']);

/** Refuses to start a program that is not there, or is none. */
export async function needProgram(path: string, host: HostView): Promise<void> {
  if (ALWAYS_THERE.has(path)) return;
  const status = await targetOf(path, host);
  if (status?.kind === 'file' && isExecutable(status)) return;
  const why =
    status === null
      ? 'there is no such program'
      : 'what stands there is no program that can be run';
  throw new ConductorError('STATE_REFUSED', `Cannot run "${path}": ${why}`, {
    lacks: [`path:${path}`],
  });
}

/** Refuses to run anything in a directory that is not there. */
export async function needDirectory(path: string, host: HostView): Promise<void> {
  if (await isDirectory(path, host)) return;
  const message = `Cannot run anything in "${path}": there is no such directory`;
  throw new ConductorError('STATE_REFUSED', message, { lacks: [`path:${path}`] });
}

const PROGRAM = /^\/[\w./+@-]+$/u;

/** The program of a command line, if that names it from the root and no shell or variable has a part in it. */
export function programOf(command: string): string | null {
  const [first = ''] = command.trim().split(/\s+/u);
  return PROGRAM.test(first) ? first : null;
}

const MOST_LINKS = 40;

async function targetOf(path: string, host: HostView): Promise<FileStatus | null> {
  let at = path;
  for (let hop = 0; hop < MOST_LINKS; hop += 1) {
    const status = await host.status(at);
    if (status?.kind !== 'symlink') return status;
    at = posix.resolve(posix.dirname(at), (await host.readLink(at)) ?? '');
  }
  return null;
}

function isExecutable({ mode }: FileStatus): boolean {
  return /[1357]/u.test(mode.slice(-3));
}
