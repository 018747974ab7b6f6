import { setTimeout as sleep } from 'node:timers/promises';
import test from 'ava';
import { fetchBlobs, startHaul } from '../../../minion/agent/fetch-blobs.ts';
import { createLink } from '../../../minion/agent/link.ts';
import { tellPreparing } from '../../../minion/agent/preparing.ts';
import type { RunEvent } from '../../../protocol/report.ts';

test('a preparation that takes long tells how far it is, until it ends', async (t) => {
  const told: RunEvent[] = [];
  const both = async (count: number): Promise<void> => {
    while (told.length < count) await sleep(1);
  };
  const preparing = tellPreparing((event) => void told.push(event), 2);
  await both(1);
  t.deepEqual(told[0], { event: 'preparing', files: undefined });
  preparing.onFetched(64, 300);
  await both(told.length + 2);
  t.deepEqual(told.at(-1), { event: 'preparing', files: { fetched: 64, of: 300 } });
  preparing.end();
  const count = told.length;
  await sleep(20);
  t.is(told.length, count);
});

test('of a revision that comes in parts each part is told, counting what came over connections before', async (t) => {
  const here = new Set(['0']);
  const link = {
    ...createLink(),
    ask: async () => ({
      type: 'blobs' as const,
      request: 1,
      blobs: Array.from({ length: 64 }, () => ''),
    }),
  };
  const manifest = Array.from({ length: 129 }, (_, index) => ({
    path: `states/${index}.yaml`,
    sha256: String(index),
    size: 1,
    mode: '0644',
  }));
  const blobs = {
    directory: '/nowhere',
    has: async (sha256: string) => here.has(sha256),
    put: (sha256: string) => void here.add(sha256),
    shrink: async () => undefined,
  };
  const seen: string[] = [];
  const haul = startHaul((fetched, of) => void seen.push(`${fetched}/${of}`));
  haul.files = 10;
  t.is(await fetchBlobs({ link, blobs }, manifest, haul), null);
  t.deepEqual(seen, ['10/138', '74/138']);
});
