import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { load } from 'js-yaml';
import { z } from 'zod';
import { messageOf } from '../../../shared/errors.ts';

/** One case of a state type, as data: `test/state-types/<type>/<case>.yaml`. */

/** What the contract promises of every state type. */
export const CLAUSES = {
  a: 'a dry run writes nothing and foresees exactly the change that is made',
  b: 'applying converges',
  c: 'a second run changes nothing',
  d: 'each attribute disturbed by itself is found, named and repaired',
  e: 'declaring what was read is unchanged',
  f: 'the opposite undoes it',
  g: 'killed before or during any effect, the next run converges',
  h: 'an unknown argument is refused with a suggestion',
  i: 'a secret appears nowhere but where it belongs',
} as const;

export type Clause = keyof typeof CLAUSES;
export const LETTERS = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i'] as const;

/** What a host may lack, and how it is looked for there. */
export const FEATURES = {
  'device-mapper': 'test -e /dev/mapper/control && dmsetup version && losetup --find',
  'loop-devices': 'losetup --find',
  'kernel-modules': 'test -d "/lib/modules/$(uname -r)" && test -w /sys/module',
  'package-index': 'cd /tmp && python3 -m pip download -q --no-deps -d /tmp/contract-probe six',
  'npm-registry': 'command -v npm && npm view left-pad version',
  'debian-mirror': 'apt-get update -qq',
  containers: 'podman run --rm --network=none --rootfs / true',
  nftables: 'nft list ruleset',
} as const;

const FEATURE_NAMES = [
  'device-mapper',
  'loop-devices',
  'kernel-modules',
  'package-index',
  'npm-registry',
  'debian-mirror',
  'containers',
  'nftables',
] as const satisfies readonly (keyof typeof FEATURES)[];

const script = z.string().min(1);
const word = z.string().min(1);
const attributes = z.record(z.string(), z.json());
const letters = z.enum(LETTERS);

const expectSchema = z.strictObject({
  plan: z.enum(['would-change', 'unchanged', 'unknown', 'skipped']).default('would-change'),
  /** In the reason of `unknown` or `skipped`. */
  because: word.optional(),
  change: z
    .strictObject({
      action: z.enum(['create', 'update', 'remove']).optional(),
      to: attributes.optional(),
      from: attributes.optional(),
    })
    .optional(),
  refused: word.optional(),
  fails: z
    .strictObject({
      code: word.optional(),
      message: word,
      /** The dry run says it already, in the same words; unless this says why it cannot. */
      unforeseen: word.optional(),
      /** States that change in the very run in which it fails, and that it watches. */
      watched: script.optional(),
      /** Files and links that are put back: their content is what it was, their time is not. */
      puts_back: z.array(z.string().startsWith('/')).default([]),
    })
    .optional(),
  after: script.optional(),
});

const disturbanceSchema = z
  .union([
    script.transform((run) => ({ run, also: [] })),
    z.strictObject({ run: script, also: z.array(word).default([]) }),
  ])
  .pipe(z.strictObject({ run: z.string(), also: z.array(z.string()) }));

/** A secret that no escape of strace or a shell can hide. */
const plainSecret = z.string().regex(/^[\w.+/=-]{6,}$/u, {
  error: 'expected at least six letters, digits or ._+/=-, so that it is found wherever it stands',
});

export const caseSchema = z.strictObject({
  about: z.string().regex(/^[^\n]{5,}$/u, { error: 'expected one line' }),
  requires: z.array(z.enum(FEATURE_NAMES)).default([]),
  given: script.optional(),
  templates: z.record(z.string(), z.string()).default({}),
  files: z.record(z.string().startsWith('states/'), z.string()).default({}),
  pillar: z.record(z.string(), z.json()).default({}),
  ports: z.record(z.string(), z.int()).default({}),
  /** Where the minion's masters are. */
  masters: z.array(word).default([]),
  declare: attributes.refine((args) => 'name' in args, { error: 'needs a "name"' }),
  with: script.optional(),
  expect: expectSchema.prefault({}),
  disturb: z.record(word, disturbanceSchema).default({}),
  undisturbed: z.record(word, word).default({}),
  read: z
    .strictObject({
      rename: z.record(word, word).default({}),
      drop: z.array(word).default([]),
      /** Arguments that are left out, because what was read stands in their place. */
      without: z.array(word).default([]),
    })
    .prefault({}),
  undo: z.strictObject({ type: word, declare: attributes, after: script.optional() }).optional(),
  /** What a watched change makes it do: the reaction says this, and then this holds. */
  react: z
    .strictObject({ says: word, before: script.optional(), after: script.optional() })
    .optional(),
  kill: z.boolean().optional(),
  /** Each call of its dry runs is watched; if absent, those of a case that is killed. */
  watch: z.boolean().optional(),
  reset: script.optional(),
  secret: z.array(plainSecret).default([]),
  secret_files: z.array(z.string().startsWith('/')).default([]),
  not: z.partialRecord(letters, word).default({}),
});

export type Case = z.infer<typeof caseSchema>;

/** A case with its place: the type, and its file's name without the ending. */
export interface NamedCase {
  readonly type: string;
  readonly name: string;
  readonly case: Case;
}

/** Bad input: nothing is brought about. */
export function isRefusal({ expect }: Case): boolean {
  return expect.refused !== undefined || expect.fails !== undefined;
}

/** Reads all cases below a directory, in order of their names. Throws naming every file that is none. */
export function loadCases(
  directory: string,
  isWanted: (type: string) => boolean = () => true,
): readonly NamedCase[] {
  const problems: string[] = [];
  const found: NamedCase[] = [];
  // What begins with _ belongs to trees that cases use.
  const types = readdirSync(directory).filter((type) => !type.startsWith('_') && isWanted(type));
  for (const type of types.toSorted()) {
    for (const file of readdirSync(join(directory, type)).toSorted()) {
      const path = join(directory, type, file);
      const read = readCase(path);
      if (typeof read === 'string') problems.push(`${path}: ${read}`);
      else found.push({ type, name: file.replace(/\.yaml$/u, ''), case: read });
    }
  }
  if (problems.length > 0) throw new Error(`Cannot read cases:\n${problems.join('\n')}`);
  return withKill(found);
}

function readCase(path: string): Case | string {
  if (!path.endsWith('.yaml')) return 'a case is a file NAME.yaml';
  return parseCase(readFileSync(path, 'utf8'));
}

/** A case from its text, or what is wrong with it. */
export function parseCase(text: string): Case | string {
  try {
    const result = caseSchema.safeParse(load(text));
    return result.success ? (contradictionIn(result.data) ?? result.data) : told(result.error);
  } catch (error) {
    return messageOf(error);
  }
}

function told({ issues }: z.ZodError): string {
  return issues.map(({ path, message }) => `"${path.join('.')}": ${message}`).join('; ');
}

/** A case that says two things at once proves neither. */
function contradictionIn(one: Case): string | null {
  const { disturb, undisturbed, expect } = one;
  const both = Object.keys(disturb).filter((name) => name in undisturbed);
  if (both.length > 0) return `disturbed and "undisturbed": ${both.join(', ')}`;
  if (expect.refused !== undefined && expect.fails !== undefined) return '"refused" and "fails"';
  if (isRefusal(one) && (Object.keys(disturb).length > 0 || one.undo !== undefined))
    return 'bad input brings nothing about: there is nothing to disturb or undo';
  return null;
}

/** Unless a type's cases say which, its first one that changes something is killed in every effect. */
function withKill(cases: readonly NamedCase[]): readonly NamedCase[] {
  const chosen = new Set<string>();
  return cases.map((named) => {
    const { kill, expect } = named.case;
    const changes = !isRefusal(named.case) && ['would-change', 'unknown'].includes(expect.plan);
    if (kill !== undefined || !changes || 'g' in named.case.not || chosen.has(named.type))
      return named;
    chosen.add(named.type);
    return { ...named, case: { ...named.case, kill: true } };
  });
}
