import { posix } from 'node:path';
import { ConductorError } from '../../../../shared/errors.ts';
import type { Host, HostView } from '../../../host/host.ts';
import { IN_MEMORY, rehearse } from '../../lib/rehearse.ts';
import { said } from '../../lib/said.ts';
import { SECRET_MODE } from '../../lib/secrecy.ts';

const BACKUPS = '/var/backups/conductor';

export interface CheckArgs {
  readonly name: string;
  readonly check_cmd?: string | readonly string[];
  readonly tmp_ext?: string;
}

/**
 * Lets command lines judge new content, as a copy in memory that only they see: nothing is written, so a plan can ask.
 * Throws CHECK_FAILED.
 */
export async function checkContent(
  { name, check_cmd: given = [], tmp_ext: ending = '' }: CheckArgs,
  content: Uint8Array,
  host: HostView,
): Promise<void> {
  const copy = `${IN_MEMORY}/new/${posix.basename(name)}${ending}`;
  for (const command of [given].flat()) await judge({ name, command, copy, content }, host);
}

interface Judged {
  readonly name: string;
  readonly command: string;
  readonly copy: string;
  readonly content: Uint8Array;
}

const LINE = `${IN_MEMORY}/check_cmd`;

/** The line reaches the shell as a file of the rehearsal: a secret in it never stands in an argument. */
async function judge({ name, command, copy, content }: Judged, host: HostView): Promise<void> {
  const mode = SECRET_MODE;
  const judged = await rehearse(
    {
      directory: IN_MEMORY,
      isFresh: true,
      pieces: new Map([
        [copy, { kind: 'file', content, mode }],
        [LINE, { kind: 'file', content: `${command} "$1"\n`, mode }],
      ]),
      check: ['/bin/sh', LINE, copy],
    },
    host,
  );
  if (judged.exitCode === 0) return;
  throw new ConductorError(
    'CHECK_FAILED',
    `Cannot replace "${name}": its check_cmd exits with ${judged.exitCode}, and what was there stays`,
    { output: `${judged.stdout}${judged.stderr}` },
  );
}

/** `true` and `minion` keep the old content in a place of its own, an ending beside the file. */
export type Backup = boolean | string;

/**
 * Keeps what a file held: where only root can read it, under its path and the time; or beside the
 * file, with its owners and mode, in place of what was kept there before.
 */
export async function backUp(
  { backup }: { readonly backup: Backup },
  path: string,
  host: Host,
): Promise<void> {
  if (backup === false) return;
  const content = await host.readFile(path);
  if (content === null) return;
  if (backup !== true && backup !== 'minion') {
    const { user, group, mode } = (await host.status(path)) ?? {};
    await host.writeFile(path + backup, content, said({ user, group, mode }));
    return;
  }
  if ((await host.status(BACKUPS)) === null) await host.makeDirectory(BACKUPS, { mode: '0700' });
  const when = new Date().toISOString().replaceAll(':', '-');
  await host.writeFile(`${BACKUPS}/${path.slice(1).replaceAll('/', '%')}@${when}`, content, {
    mode: '0600',
  });
}
