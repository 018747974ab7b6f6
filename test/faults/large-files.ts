import { publish, sh, TREE } from '../e2e/installed-hosts.ts';
import type { Site } from '../e2e/installed-hosts.ts';

const TOP = 'base:\n  "*": [common]\n  web: [web, big]\n';

export interface LargeFiles {
  readonly count: number;
  readonly bytes: number;
}

/** Files that no minion has yet, as `/srv/big-1` and so on. */
export async function publishLargeFiles(
  { conductor, ...site }: Site,
  { count, bytes }: LargeFiles,
): Promise<void> {
  const one = `head -c ${bytes} /dev/urandom >${TREE}/templates/big-$number`;
  await sh(conductor, `for number in $(seq ${count}); do ${one}; done`);
  const states = Array.from({ length: count }, (_, index) => {
    const number = index + 1;
    return `/srv/big-${number}:\n  file.managed: {source: big-${number}, mode: "0600"}\n`;
  });
  await conductor.write(`${TREE}/states/top.yaml`, TOP);
  // Its own words are different each time, too.
  const content = `# ${Date.now()}\n${states.join('')}`;
  await publish({ conductor, ...site }, 'states/big.yaml', content);
}
