import { z } from 'zod';
import { sh } from '../e2e/installed-hosts.ts';
import type { Site } from '../e2e/installed-hosts.ts';

/** How long the event loop of a master is held up. */

const MEASURE = '/opt/lag.mjs';

/** From now on, of a master that is started anew for it. */
export async function measureLag({ conductor }: Site): Promise<void> {
  await conductor.copyIn('test/faults/lag.mjs', MEASURE);
  const setting = `[Service]\nEnvironment=NODE_OPTIONS=--import=${MEASURE}\n`;
  const unit = '/etc/systemd/system/conductor-master.service.d/lag.conf';
  await conductor.write(unit, setting);
  await sh(conductor, 'systemctl daemon-reload; systemctl restart conductor-master; sleep 3');
}

const lagSchema = z.object({
  p50: z.number(),
  p99: z.number(),
  max: z.number(),
  seconds: z.number(),
});

type Lag = z.infer<typeof lagSchema>;

export async function lagOf({ conductor }: Site): Promise<Lag> {
  const text = await conductor.read('/var/lib/conductor/master/lag.json');
  return lagSchema.parse(JSON.parse(text));
}

export function lagWords({ p50, p99, max, seconds }: Lag): string {
  return `p50 ${p50} ms, p99 ${p99} ms, max ${max} ms, ${seconds} s of CPU`;
}
