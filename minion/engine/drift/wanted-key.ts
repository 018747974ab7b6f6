import { createHmac, randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { z } from 'zod';
import { readStored, writeDurably } from '../../host/durable-file.ts';

export const KEY_FILE = 'wanted-key.json';

const keySchema = z.strictObject({
  version: z.literal(1),
  key: z.string().regex(/^[0-9a-f]{64}$/u),
});

/** Makes digests of texts that tell nothing of them to whoever lacks it. */
export interface Key {
  digest(text: string): string;
  /** Puts it on disk, unless it is there. */
  keep(): void;
}

/** A key that is lost or damaged is made anew: then what was digested with it is lost, too. */
export function openKey(stateDirectory: string): Key {
  const path = join(stateDirectory, KEY_FILE);
  const stored = readStored(path, keySchema);
  const key = stored.status === 'ok' ? stored.value.key : randomBytes(32).toString('hex');
  let isKept = stored.status === 'ok';
  const bytes = Buffer.from(key, 'hex');
  return {
    digest: (text) => createHmac('sha256', bytes).update(text).digest('hex').slice(0, 32),
    keep() {
      if (!isKept) writeDurably(path, JSON.stringify({ version: 1, key }));
      isKept = true;
    },
  };
}
