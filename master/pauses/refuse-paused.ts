import { ConductorError } from '../../shared/errors.ts';
import { pauseWords } from '../../shared/pause.ts';
import type { Services } from '../services.ts';
import { pauseOf } from './minion-pauses.ts';

/** Throws MINION_PAUSED, which names them, if any of the minions is paused. */
export async function refusePaused(
  { store, now }: Pick<Services, 'store' | 'now'>,
  minions: readonly string[],
): Promise<void> {
  const intentions = await store.intentions.all();
  const paused = minions.flatMap((id) => {
    const intention = intentions.get(id);
    const pause = intention === undefined ? null : pauseOf(intention, now());
    return pause === null ? [] : [`  ${id} is paused ${pauseWords(pause)}`];
  });
  if (paused.length === 0) return;
  const help = '  lift it (master resume), or apply without --respect-pause';
  const message = ['Cannot apply and respect pauses:', ...paused, help].join('\n');
  throw new ConductorError('MINION_PAUSED', message);
}
