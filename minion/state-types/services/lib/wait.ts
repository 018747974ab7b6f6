import type { Host } from '../../../host/host.ts';
import { seconds } from '../../lib/fields.ts';

/** How long is waited, and how often is looked. */
export const patience = {
  timeout: seconds.default(60).describe('Seconds to wait before that is a failure'),
  interval: seconds.default(0.5).describe('Seconds between two looks'),
};

/** Looks again and again until a thing is as it should be, or the time is over. */
export async function waitUntil(
  look: () => Promise<boolean>,
  { timeout, interval }: { timeout: number; interval: number },
  host: Host,
): Promise<boolean> {
  const end = performance.now() + timeout * 1000;
  for (;;) {
    if (await look()) return true;
    if (performance.now() >= end) return false;
    await host.sleep(Math.max(interval, 0.05) * 1000);
  }
}
