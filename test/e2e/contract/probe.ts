import { openFleet } from '../../hosts/hosts.ts';
import { FEATURES } from './case.ts';
import type { Case } from './case.ts';

type Feature = Case['requires'][number];

/** Which of these a host of this machine lacks; tried on one. */
export async function probeFeatures(features: ReadonlySet<Feature>): Promise<ReadonlySet<Feature>> {
  const fleet = await openFleet();
  try {
    const host = await fleet.boot({ name: 'probe', image: 'full' });
    const lacking = new Set<Feature>();
    for (const feature of features) {
      const probe = ['/bin/bash', '-ec', FEATURES[feature]] as const;
      const { exitCode } = await host.exec(probe, { allowFailure: true, timeoutMs: 180_000 });
      if (exitCode !== 0) lacking.add(feature);
    }
    return lacking;
  } finally {
    await fleet.close();
  }
}
