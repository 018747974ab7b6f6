import { createHmac } from 'node:crypto';
import { compile } from '../language/compile.ts';
import type { CompileInput } from '../language/compile.ts';
import type { Catalog } from '../language/declaration.ts';
import { compilePillar } from '../language/pillar.ts';
import { needLine } from '../language/targets/addressed.ts';
import type { Tree } from '../language/tree.ts';
import { isTreeFile } from '../shared/tree-file.ts';
import { secretMark } from '../shared/marks.ts';
import { redactor, type Redact } from '../shared/secret.ts';
import { schemasOf } from './custom-types.ts';
import type { Services } from './services.ts';
import type { Minion } from './store/store.ts';

const FIRST_PORT = 20_000;

type Parts = Pick<Services, 'store' | 'states' | 'pillarKeys'>;

/** What a minion is to be by a tree, as the minion itself would find it with its last facts. */
export async function catalogOf(parts: Parts, tree: Tree, minion: Minion): Promise<Catalog> {
  return compiled(parts, tree, await knownOf(parts, tree, minion));
}

/** Finds every mistake that a tree has for a minion with its last facts. Throws TREE_INVALID, and NOTHING_DECLARED as a run does. */
export async function checkFor(parts: Parts, tree: Tree, minion: Minion): Promise<void> {
  const known = await knownOf(parts, tree, minion);
  const { declarations } = await compiled(parts, tree, known);
  if (declarations.length === 0) needLine(tree, { ...known.minion, ...known });
}

type Known = Pick<CompileInput, 'minion' | 'facts' | 'pillar' | 'origins'>;

async function knownOf(
  { store, pillarKeys }: Parts,
  tree: Tree,
  { id, groups }: Minion,
): Promise<Known> {
  const minion = { id, groups };
  const { value: pillar, origins } = compilePillar({ tree, minion, unseal: pillarKeys.unseal });
  return { minion, facts: (await store.minions.facts(id))?.facts ?? {}, pillar, origins };
}

async function compiled({ states }: Parts, tree: Tree, known: Known): Promise<Catalog> {
  const ports = new Map<string, number>();
  return compile({
    ...known,
    tree,
    states: await schemasOf(tree, states),
    stateFiles: [],
    params: {},
    // Which numbers the minion has really given out, only its own registry knows.
    allocatePort: (name) => {
      const port = ports.get(name) ?? FIRST_PORT + ports.size;
      ports.set(name, port);
      return port;
    },
  });
}

/** Blanks a catalog's secrets in a text. */
export function redactorOf({ secrets }: Catalog, fingerprintKey: string): Redact {
  return redactor(secrets, (secret) => shortFingerprint(secret, fingerprintKey));
}

/** Four hex digits by which a reader can tell whether two secrets of one minion are equal. */
export function shortFingerprint(secret: string, fingerprintKey: string): string {
  const key = Buffer.from(fingerprintKey, 'hex');
  return createHmac('sha256', key).update(secret).digest('hex').slice(0, 4);
}

/** What keeps secrets out of arguments that are shown. */
export interface Blanking {
  readonly redact: Redact;
  /** Arguments that are secret in any case, sealed or not. */
  readonly secretNames: ReadonlySet<string>;
  readonly fingerprint: (text: string) => string;
}

/** Arguments as JSON: a tree file is shown by its path. */
export function argumentsAsJson(args: unknown, blanking: Blanking): unknown {
  const { redact, secretNames, fingerprint } = blanking;
  if (isTreeFile(args)) return redact(args.path);
  if (Array.isArray(args)) return args.map((item) => argumentsAsJson(item, blanking));
  if (typeof args === 'object' && args !== null) {
    const entries = Object.entries(args).filter(([, value]) => value !== undefined);
    return Object.fromEntries(
      entries.map(([name, value]) => [
        redact(name),
        secretNames.has(name) && value !== null
          ? secretMark(fingerprint(textOf(value)))
          : argumentsAsJson(value, blanking),
      ]),
    );
  }
  const text = redact(String(args));
  // A schema may have made a number of a secret that was sealed as text.
  return text === String(args) ? (args ?? null) : text;
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}
