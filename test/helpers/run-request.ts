import { createHash, randomUUID } from 'node:crypto';
import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { revisionId } from '../../language/source.ts';
import { runRequestSchema } from '../../protocol/run-request.ts';
import type { RunOptions, RunRequest } from '../../protocol/run-request.ts';
import { testAtRest } from './toy-world.ts';

export interface TestTree {
  /** Text by path: `states/top.yaml`. */
  readonly files: Readonly<Record<string, string>>;
  readonly options?: Partial<RunOptions>;
  readonly pillar?: Partial<RunRequest['pillar']>;
}

/** A place that only root can change, for blobs, state and what states make. */
export function runPlace(): string {
  return mkdtempSync('/var/lib/conductor-run-');
}

/** Asks for a run of a small tree, with its blobs and state below a place. */
export function runRequest(
  place: string,
  { files, options = {}, pillar = {} }: TestTree,
): RunRequest {
  const blobDirectory = join(place, 'blobs');
  mkdirSync(blobDirectory, { recursive: true });
  const manifest = Object.entries(files)
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([path, text]) => {
      const sha256 = sha256Of(text);
      writeFileSync(join(blobDirectory, sha256), testAtRest.seal(Buffer.from(text)));
      return { path, sha256, size: Buffer.byteLength(text), mode: '0644' };
    });
  return runRequestSchema.parse({
    options: {
      job: randomUUID(),
      cause: 'job',
      dryRun: false,
      stateFiles: [],
      params: {},
      timeoutSeconds: 60,
      ...options,
    },
    minion: { id: 'web-01', groups: [] },
    revision: revisionId(manifest),
    manifest,
    pillar: {
      id: sha256Of('pillar'),
      value: {},
      secrets: [],
      fingerprintKey: sha256Of('key'),
      ...pillar,
    },
    blobDirectory,
    blobKey: testAtRest.key,
    stateDirectory: join(place, 'state'),
  });
}

/** A tree whose only state file is this one, for everybody. */
export function oneFile(text: string): Readonly<Record<string, string>> {
  return { 'states/top.yaml': 'base:\n  "*": [one]\n', 'states/one.yaml': text };
}

function sha256Of(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
