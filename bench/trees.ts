import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openFleet } from '../test/hosts/hosts.ts';
import type { Host } from '../test/hosts/host.ts';

/**
 * `npm run bench:trees`: whole directories, on a test host. `file.directory` that gives 40,000 files their owners and
 * modes, against chown and find; `file.recurse` that brings 2,000 files, against rsync with checksums. Prints medians in
 * milliseconds and their ratios, each round one after the other, so that both meet the same machine.
 */

const ROUNDS = 3;
const FILES = 40_000;
const SOURCES = 2000;
const OWNED = '/srv/owned';
const COPIED = '/srv/copied';

const STATES = `
owned:
  file.directory:
    name: ${OWNED}
    user: www-data
    group: www-data
    mode: "0750"
    file_mode: "0640"
    recurse: [user, group, mode]
`;
const COPIES = `
copied:
  file.recurse:
    name: ${COPIED}
    source: many
    user: www-data
    group: www-data
    file_mode: "0644"
    dir_mode: "0755"
`;

const MAKE = `mkdir -p ${OWNED} && cd ${OWNED} && for d in $(seq 200); do mkdir -p $d && (cd $d && seq ${FILES / 200} | xargs touch); done`;
const DISTURB = `chown --recursive root:root ${OWNED}; chmod --recursive u=rwX,go= ${OWNED}; sync`;
const OWN = `chown --recursive www-data:www-data ${OWNED}; find ${OWNED} -type d -exec chmod 0750 {} +; find ${OWNED} -type f -exec chmod 0640 {} +`;
const LOOK = `find ${OWNED} '(' '!' -user www-data -o '!' -group www-data -o -type f '!' -perm 0640 -o -type d '!' -perm 0750 ')' -print`;
const SYNC = `rsync --archive --checksum --delete --chown=www-data:www-data --chmod=D0755,F0644 /root/tree/templates/many/ ${COPIED}/`;
const EMPTY = `rm -rf ${COPIED}; sync`;

const fleet = await openFleet({ log: console.log });
try {
  await measure(await fleet.boot({ name: 'bench', image: 'full' }));
} finally {
  await fleet.close();
}

async function measure(host: Host): Promise<void> {
  await host.copyIn(process.execPath, '/root/node');
  await host.copyIn('dist', '/root/dist');
  await copyTree(host);
  await sh(host, MAKE);
  const rows = [
    await compare(host, {
      name: '40,000 files, owners wrong',
      before: DISTURB,
      ours: 'owned',
      bare: OWN,
    }),
    await compare(host, {
      name: '40,000 files, all right',
      before: 'true',
      ours: 'owned',
      bare: LOOK,
    }),
    await compare(host, {
      name: '2,000 files, none there',
      before: EMPTY,
      ours: 'copied',
      bare: SYNC,
    }),
    await compare(host, {
      name: '2,000 files, all right',
      before: 'true',
      ours: 'copied',
      bare: SYNC,
    }),
  ];
  console.log(
    ['', 'conductor', 'bare', 'ratio']
      .map((word, at) => word.padStart(at === 0 ? 30 : 12))
      .join(''),
  );
  for (const { name, ours, bare } of rows) {
    const cells = [`${ours} ms`, `${bare} ms`, (ours / bare).toFixed(1)];
    console.log(name.padStart(30) + cells.map((cell) => cell.padStart(12)).join(''));
  }
}

async function copyTree(host: Host): Promise<void> {
  const here = mkdtempSync(join(tmpdir(), 'conductor-bench-'));
  try {
    mkdirSync(join(here, 'states'));
    writeFileSync(join(here, 'states/owned.yaml'), STATES);
    writeFileSync(join(here, 'states/copied.yaml'), COPIES);
    for (let number = 0; number < SOURCES; number += 1) {
      const directory = join(here, 'templates/many', String(number % 50));
      mkdirSync(directory, { recursive: true });
      writeFileSync(join(directory, String(number)), `This is file ${number}.\n`.repeat(50));
    }
    await host.copyIn(here, '/root/tree');
  } finally {
    rmSync(here, { recursive: true });
  }
}

interface Comparison {
  readonly name: string;
  /** What makes the next run have something to do. */
  readonly before: string;
  readonly ours: string;
  readonly bare: string;
}

async function compare(host: Host, { name, before, ours, bare }: Comparison) {
  const minion = `/root/node /root/dist/minion.js apply --id bench --tree /root/tree --state-directory /root/state ${ours}`;
  const times: Record<'ours' | 'bare', number[]> = { ours: [], bare: [] };
  for (let round = 0; round < ROUNDS; round += 1) {
    await sh(host, before);
    times.bare.push(await timed(() => sh(host, bare)));
    await sh(host, before);
    times.ours.push(await timed(() => sh(host, minion)));
  }
  return { name, ours: median(times.ours), bare: median(times.bare) };
}

async function sh(host: Host, line: string): Promise<void> {
  await host.exec(['/bin/bash', '-ec', line], { timeoutMs: 900_000 });
}

async function timed(work: () => Promise<void>): Promise<number> {
  const begun = performance.now();
  await work();
  return Math.round(performance.now() - begun);
}

function median(numbers: readonly number[]): number {
  return numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)] ?? 0;
}
