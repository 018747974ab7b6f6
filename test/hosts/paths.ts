import { join, resolve } from 'node:path';

/** Which fleets there are, and what has to be undone when they go: lost with a reboot, as they are. */
export const RUN_DIRECTORY = '/run/conductor-test-hosts';

/** Where images are kept and hosts write: big, on a disk, outside the work tree. */
export function cacheDirectory(): string {
  return resolve(process.env['CONDUCTOR_TEST_CACHE'] ?? '/var/cache/conductor-test-hosts');
}

export function imagesDirectory(): string {
  return join(cacheDirectory(), 'images');
}

/** systemd-nspawn leaves an empty directory per machine here. */
export const PROPAGATION = '/run/systemd/nspawn/propagate';
