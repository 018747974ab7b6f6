import { checkData, checkNode, type Subject } from './check.ts';
import { isMapping } from '../values/data.ts';
import type { Guards, Requisite, Retry } from '../declaration.ts';
import type { Draft } from './draft.ts';
import { refuseExposed } from './exposed.ts';
import { asMapping } from './arguments.ts';
import { revealedData, textOf, type Entry, type MappingNode } from '../values/node.ts';
import type { Resources } from './implied.ts';
import type { Sortable } from '../order.ts';
import { unknownType } from './unknown-type.ts';
import type { Workshop } from '../expressions/scope.ts';
import { asSaltMeans } from './salt-arguments.ts';
import { schemaKeys } from './schema-keys.ts';
import { pillarValueOf } from './pillar-paths.ts';
import { refuseExposure, secretEntry } from './secrecy.ts';
import type { Using } from './sources.ts';
import { filesFor } from './source-arguments.ts';
import type { StateSchema, StateSchemas } from '../state-schema.ts';
import {
  COMMON_WORDS,
  guardSchema,
  isGuardWord,
  isRequisiteWord,
  type GuardWords,
} from './words.ts';
import { isSaltFile } from '../values/yaml-source.ts';

/** A draft that has been checked against its type; its requisites come from all drafts together. */
export interface Checked extends Resources {
  readonly draft: Draft;
  readonly args: unknown;
  readonly guards: Guards;
  readonly words: GuardWords;
  readonly retry: Retry | null;
  readonly order: Sortable['order'];
  /** A secret goes into what it writes. */
  readonly holdsSecret: boolean;
}

export interface Declaring extends Using {
  readonly states: StateSchemas;
  /** By the key of a draft: some count as the guard that some types must have. */
  readonly requisites: ReadonlyMap<string, readonly Requisite[]>;
  /** The arguments of each type that has been met. */
  readonly keysByType: Map<string, ReadonlySet<string>>;
}

/** Checks the arguments and guards of one draft. `null` after a mistake, which is reported. */
export function checkDraft(written: Draft, declaring: Declaring): Checked | null {
  const draft = asSaltMeans(written, declaring);
  const schema = declaring.states.get(draft.type);
  if (schema === undefined) return unknownType(draft, declaring);
  const keys = keysOf(schema, declaring);
  const parts = split(withSource(draft, schema), keys);
  const words = checkWords(draft, parts.guards, declaring);
  const args = checkArguments(draft, { schema, entries: parts.args, keys }, declaring);
  if (words === undefined || args === undefined) return null;
  if (!isGuarded(draft, schema, { words: words.value, args: args.value, declaring })) return null;
  return {
    draft,
    key: draft.key,
    args: args.value,
    holdsSecret: args.holdsSecret,
    words: words.value,
    guards: guardsOf(words.value),
    retry: retryOf(words.value.retry),
    order: words.value.order ?? null,
    provides: schema.provides?.(args.value) ?? [],
    needs: [
      ...(schema.needs?.(args.value) ?? []),
      ...[...draft.ports.keys()].map((name) => `port:${name}`),
    ],
  };
}

function keysOf({ name, schema }: StateSchema, { keysByType }: Declaring): ReadonlySet<string> {
  const keys = keysByType.get(name) ?? new Set(schemaKeys(schema).keys());
  keysByType.set(name, keys);
  return keys;
}

/** Salt's `cmd.script` may say with its name alone which script it is. */
function withSource(draft: Draft, { treeFiles = [] }: StateSchema): Draft {
  const name = draft.args.get('name')?.value;
  const isScript = name !== undefined && textOf(name)?.startsWith('salt://') === true;
  if (!isScript || !treeFiles.includes('source') || draft.args.has('source')) return draft;
  const keyNode = { kind: 'scalar' as const, place: name.place, value: 'source' };
  const source = { key: 'source', keyNode, value: name };
  return { ...draft, args: new Map([...draft.args, ['source', source]]) };
}

interface Parts {
  readonly args: readonly Entry[];
  readonly guards: readonly Entry[];
}

/** The host's user for commands, and conditions, count for the state even if its type has them. */
const SHARED = new Set(['runas', 'unless', 'onlyif', 'creates']);

function split({ args, idPlace }: Draft, keys: ReadonlySet<string>): Parts {
  const entries = [...args.values()].filter(({ key }) => !isRequisiteWord(key));
  const isDefaultName = ({ key, keyNode }: Entry) => key === 'name' && keyNode.place === idPlace;
  return {
    args: entries.filter((entry) => {
      const isUnwanted = isGuardWord(entry.key) || isDefaultName(entry);
      return keys.has(entry.key) || !isUnwanted;
    }),
    guards: entries.filter(({ key }) => isGuardWord(key) && (SHARED.has(key) || !keys.has(key))),
  };
}

function checkWords(
  draft: Draft,
  entries: readonly Entry[],
  { workshop: { problems } }: Declaring,
): { readonly value: GuardWords } | undefined {
  if (entries.length === 0) return { value: {} };
  const plain = entries.map((entry) =>
    entry.key === 'retry' ? { ...entry, value: asMapping(entry.value) } : entry,
  );
  const { place, scope } = draft;
  const node: MappingNode = { kind: 'mapping', place, entries: plain };
  const what = draft.type;
  const { chain } = scope;
  const subject: Subject = { what, node, place, keys: () => COMMON_WORDS, chain, problems };
  refuseExposed(node, { schema: guardSchema }, subject);
  return checkNode(guardSchema, subject);
}

interface Typed {
  readonly schema: StateSchema;
  readonly entries: readonly Entry[];
  readonly keys: ReadonlySet<string>;
}

function checkArguments(
  draft: Draft,
  { schema, entries, keys }: Typed,
  declaring: Declaring,
): { readonly value: unknown; readonly holdsSecret: boolean } | undefined {
  const { workshop } = declaring;
  const files = filesFor(draft, { schema, entries }, declaring);
  const { place, type, scope } = draft;
  const node: MappingNode = {
    kind: 'mapping',
    place,
    entries: entries.map((entry) =>
      declaring.isRendered && schema.pillarPaths?.includes(entry.key) === true
        ? { ...entry, value: pillarValueOf(draft, entry.value, workshop.problems) }
        : marked(entry, files),
    ),
  };
  const plain = revealedData(node);
  const data = { ...(isMapping(plain) ? plain : {}), ...Object.fromEntries(files) };
  const known = () => [...new Set([...keys, ...COMMON_WORDS])];
  const { problems } = workshop;
  const subject: Subject = { what: type, node, place, keys: known, chain: scope.chain, problems };
  refuseExposed(node, schema, subject);
  const checked = checkData(schema.schema, subject, data);
  if (checked !== undefined) hideSecrets(schema, checked.value, workshop);
  const given = { entries: node.entries, files };
  refuseExposure(draft, { schema, given, args: checked?.value }, problems);
  return checked && { ...checked, holdsSecret: secretEntry(given) !== null };
}

function hideSecrets(schema: StateSchema, args: unknown, { secrets }: Workshop): void {
  for (const text of schema.secretsIn?.(args) ?? []) secrets.add(text);
}

/** A file that could not be had has been told: what the schema says of it is no news. */
function marked(entry: Entry, files: ReadonlyMap<string, unknown>): Entry {
  const { place } = entry.value;
  return files.get(entry.key) === null ? { ...entry, value: { kind: 'broken', place } } : entry;
}

/** A state with one of these is not for every run. */
export const CONDITIONS: ReadonlySet<string> = new Set([
  'onchanges',
  'onchanges_any',
  'onfail',
  'onfail_any',
  'onfail_all',
  'prereq',
]);

interface Guarding {
  readonly words: GuardWords;
  readonly args: unknown;
  readonly declaring: Declaring;
}

/** A type that acts without looking needs to be told when; `always: true` says that it is meant. */
function isGuarded(
  draft: Draft,
  schema: StateSchema,
  { words, args, declaring }: Guarding,
): boolean {
  if (schema.needsGuard !== true || isMeant(draft, schema, args)) return true;
  const { unless, onlyif, creates } = words;
  if ([unless, onlyif, creates].some((guard) => guard !== undefined)) return true;
  const requisites = declaring.requisites.get(draft.key) ?? [];
  if (requisites.some(({ kind }) => CONDITIONS.has(kind))) return true;
  declaring.workshop.problems.add(draft.place, `${draft.type} "${draft.id}" has no guard`, {
    help: 'say when it is to run with unless, onlyif, creates or onchanges, or write "always: true"',
    chain: draft.scope.chain,
  });
  return false;
}

/** To run every time: by its arguments, or because to Salt an unguarded command is meant so. */
function isMeant({ place }: Draft, schema: StateSchema, args: unknown): boolean {
  if (isSaltFile(place.file) || schema.goesUnguarded?.(args) === true) return true;
  return typeof args === 'object' && args !== null && 'always' in args && args.always === true;
}

function guardsOf({ unless = [], onlyif = [], creates = [] }: GuardWords): Guards {
  return { unless, onlyif, creates };
}

const ATTEMPTS = 2;
const INTERVAL = 30;

function retryOf(retry: GuardWords['retry']): Retry | null {
  if (retry === undefined || retry === false) return null;
  const { attempts = ATTEMPTS, interval = INTERVAL, splay = 0 } = retry === true ? {} : retry;
  return { attempts, intervalSeconds: interval, splaySeconds: splay };
}
