import { posix } from 'node:path';
import { ConductorError } from '../../../../shared/errors.ts';
import type { Host } from '../../../host/host.ts';
import { endOf } from '../../../../shared/excerpt.ts';
import { said } from '../../lib/said.ts';

const BACKUPS = '/var/backups/conductor';

export interface CheckArgs {
  readonly name: string;
  readonly check_cmd?: string | readonly string[];
  readonly tmp_ext?: string;
}

/** Lets command lines judge new content, as a copy that only root can read. Throws CHECK_FAILED. */
export async function checkContent(
  { name, check_cmd: given = [], tmp_ext: ending = '' }: CheckArgs,
  content: Uint8Array,
  host: Host,
): Promise<void> {
  const commands = [given].flat();
  if (commands.length === 0) return;
  const made = await host.run(['mktemp', '--directory', '--tmpdir', 'conductor-check.XXXXXXXX']);
  const directory = made.stdout.trim();
  const copy = `${directory}/${posix.basename(name)}${ending}`;
  try {
    await host.writeFile(copy, content, { mode: '0600' });
    for (const command of commands) await judge(name, command, copy, host);
  } finally {
    await host.remove(directory);
  }
}

/** The line reaches the shell by its input: a secret in it never stands in an argument. */
async function judge(name: string, command: string, copy: string, host: Host): Promise<void> {
  const judged = await host.query(['/bin/sh', '-c', 'eval "$(cat)"', 'check_cmd', copy], {
    input: `${command} "$1"`,
  });
  if (judged.exitCode === 0) return;
  throw new ConductorError(
    'CHECK_FAILED',
    `Cannot replace "${name}": its check_cmd exits with ${judged.exitCode}, and what was there stays`,
    { output: endOf(`${judged.stdout}${judged.stderr}`) },
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
