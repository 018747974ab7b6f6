import { posix } from 'node:path';
import { z } from 'zod';
import { ConductorError } from '../../../../shared/errors.ts';
import type { Host, HostView } from '../../../host/host.ts';
import { lastWords } from '../../lib/ask.ts';
import { nearestThere, refuseParents } from '../../lib/ownership.ts';
import { refuseMarked, refuseReadOnly } from '../../lib/places.ts';
import { parentsOf } from '../../lib/resources.ts';

/** Letters of chattr that a file can be given; others tell how the file system keeps it. */
const SETTABLE = 'AacCdDijSstTu';

export const fileAttributes = z
  .string()
  .regex(/^[AacCdDijSstTu]*$/u, { error: `expected letters of chattr: ${SETTABLE}` })
  .transform(canonical);

function canonical(letters: string): string {
  return [...new Set(letters)].toSorted().join('');
}

/** The letters that a file has. */
export async function attributesOf(path: string, host: HostView): Promise<string> {
  await refuseForeignWay(path, host);
  const output = await host.query(['lsattr', '-d', '--', path]);
  if (output.exitCode !== 0) {
    throw new ConductorError(
      'STATE_REFUSED',
      `Cannot read the attributes of "${path}": ${lastWords(output)}`,
    );
  }
  const [flags = ''] = output.stdout.split(' ');
  return canonical([...flags].filter((letter) => SETTABLE.includes(letter)).join(''));
}

/** Refuses a place where a file cannot be written, whatever the file is marked with, or given no attributes. */
export async function refuseUnmarkable(
  place: { readonly name: string; readonly makedirs: boolean },
  isThere: boolean,
  host: HostView,
): Promise<void> {
  const directory = posix.dirname(place.name);
  await refuseParents(place, host);
  await refuseReadOnly(place.name, host);
  await refuseMarked([directory], host);
  // What is there has been asked for its attributes.
  if (isThere) return;
  const nearest = await nearestThere(directory, host);
  const { exitCode } = await host.query(['lsattr', '-d', '--', nearest]);
  if (exitCode === 0) return;
  throw new ConductorError(
    'STATE_REFUSED',
    `Cannot give "${place.name}" attributes: the file system of "${nearest}" has none`,
    { lacks: [`mount:${nearest}`] },
  );
}

/** Takes away what would keep even root from changing a file. */
export async function unlock(path: string, host: Host): Promise<void> {
  const locks = [...(await attributesOf(path, host))].filter((letter) => 'ai'.includes(letter));
  if (locks.length > 0) await host.run(['chattr', `-${locks.join('')}`, '--', path]);
}

/** Gives a file these letters and no others. */
export async function setAttributes(path: string, wanted: string, host: Host): Promise<void> {
  const now = await attributesOf(path, host);
  const extra = [...now].filter((letter) => !wanted.includes(letter)).join('');
  const missing = [...wanted].filter((letter) => !now.includes(letter)).join('');
  if (extra !== '') await host.run(['chattr', `-${extra}`, '--', path]);
  if (missing !== '') await host.run(['chattr', `+${missing}`, '--', path]);
}

const WRITABLE_BY_OTHERS = 0o022;

/** Both programs follow the path that they are given, wherever others make it lead. */
async function refuseForeignWay(path: string, host: HostView): Promise<void> {
  const directories = ['/', ...parentsOf(path).map((name) => name.slice('path:'.length))];
  for (const directory of directories) {
    const status = await host.status(directory);
    const mode = Number.parseInt(status?.mode ?? '0', 8);
    const isOurs = status?.uid === 0 && (mode & WRITABLE_BY_OTHERS) === 0;
    if (status === null || (status.kind === 'directory' && isOurs)) continue;
    throw new ConductorError(
      'STATE_REFUSED',
      `Cannot manage the attributes of "${posix.basename(path)}": "${directory}" on the way to it is a link, or others can change it`,
      { inTheWay: [`path:${directory}`] },
    );
  }
}
