import { ConductorError } from '../../../../shared/errors.ts';
import type { HostView } from '../../../host/host.ts';
import { othersPartOf } from '../../lib/others.ts';

/**
 * Root runs no program that somebody else can make another one, not even to look; nor does it what a file says (`deed`)
 * that somebody else can write.
 */
export async function refuseOthersProgram(
  program: string,
  { user = 'root' }: { readonly user?: string },
  host: HostView,
  deed = `run "${program}"`,
): Promise<void> {
  const part = user === 'root' ? await othersPartOf(program, host) : null;
  if (part === null) return;
  throw new ConductorError(
    'STATE_REFUSED',
    `Cannot ${deed} as root: "${part.at}" ${part.whose} (say \`user\`: whose it is)`,
    { lacks: [] },
  );
}
