import { z } from 'zod';
import { readStored, restoreCopy, setAside, writeTwice } from './durable-file.ts';

/** What a minion remembers from run to run: short texts by name, e.g. allocated ports. */
export interface Registry {
  recall(name: string): string | null;
  /** `null` forgets. On disk when it returns. */
  remember(name: string, value: string | null): void;
  /** Several at once, in one write. */
  rememberAll(values: Readonly<Record<string, string | null>>): void;
  entries(): ReadonlyMap<string, string>;
}

const schema = z.strictObject({ version: z.literal(1), values: z.record(z.string(), z.string()) });

export interface RegistryOptions {
  readonly dryRun: boolean;
  /** Told when the file was unusable, and whether its copy was as well. */
  readonly onCorrupt: (why: string) => void;
}

/** Opens the registry; in a dry run nothing on disk is touched, not even a corrupt file. */
export function openRegistry(path: string, { dryRun, onCorrupt }: RegistryOptions): Registry {
  const values = load(path, { dryRun, onCorrupt });
  const rememberAll: Registry['rememberAll'] = (changes) => {
    if (dryRun) throw new Error('a dry run remembers nothing');
    const differing = Object.entries(changes).filter(
      ([name, value]) => (values.get(name) ?? null) !== value,
    );
    if (differing.length === 0) return;
    for (const [name, value] of differing) {
      if (value === null) values.delete(name);
      else values.set(name, value);
    }
    const sorted = [...values].toSorted(([a], [b]) => (a < b ? -1 : 1));
    writeTwice(
      path,
      `${JSON.stringify({ version: 1, values: Object.fromEntries(sorted) }, null, 2)}\n`,
    );
  };
  return {
    recall: (name) => values.get(name) ?? null,
    remember: (name, value) => rememberAll({ [name]: value }),
    rememberAll,
    entries: () => values,
  };
}

function load(path: string, { dryRun, onCorrupt }: RegistryOptions): Map<string, string> {
  const stored = readStored(path, schema);
  if (stored.status === 'ok') return new Map(Object.entries(stored.value.values));
  if (stored.status === 'missing') return new Map();
  const aside = dryRun ? path : setAside(path);
  const copy = restoreCopy(path, schema, { dryRun });
  const remembered = copy === null ? 'what it remembered is lost' : 'its copy took its place';
  onCorrupt(`The registry cannot be read and is kept as "${aside}": ${stored.why}; ${remembered}`);
  return new Map(Object.entries(copy?.values ?? {}));
}
