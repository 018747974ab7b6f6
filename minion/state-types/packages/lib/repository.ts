import { isDeb822 } from './source-file.ts';
import { parseLine, withoutSlash } from './source-entry.ts';
import type { SourceEntry } from './source-entry.ts';
import { loginFile, loginsIn, withoutLogin } from './credentials.ts';
import type { Login } from './credentials.ts';

const DIRECTORY = '/etc/apt/sources.list.d';
const KEYRINGS = '/etc/apt/keyrings';

/** How arguments say where packages come from. */
export interface Place {
  readonly name: string;
  readonly uris?: readonly string[];
  readonly suites?: readonly string[];
  readonly types?: readonly string[];
  readonly dist?: string;
  readonly file?: string;
}

/** How they say all of a source. */
interface RepositoryArgs extends Place {
  readonly comps?: readonly string[];
  readonly architectures?: readonly string[];
  readonly signedby?: string;
  readonly key_url?: unknown;
  readonly key_text?: unknown;
  readonly keyid?: unknown;
  readonly disabled: boolean;
  readonly enabled?: boolean;
}

/** What the arguments say of where packages come from; `null` if that is not enough for a source. */
export function placeOf({ name, uris, suites, types, dist }: Place): SourceEntry | null {
  const line = parseLine(name);
  if (line !== null && uris === undefined)
    return { ...line, isEnabled: true, suites: dist === undefined ? line.suites : [dist] };
  const all = dist === undefined ? suites : [dist];
  if (uris === undefined || all === undefined) return null;
  return {
    types: types ?? ['deb'],
    uris: uris.map(withoutSlash),
    suites: all,
    components: [],
    options: new Map(),
    isEnabled: true,
  };
}

/** Where a source stands, what it says, and the keyring that its key goes to. */
export interface Repository {
  readonly file: string;
  readonly entry: SourceEntry;
  readonly keyring: string;
  /** What stands in its addresses and not in its entry, which everybody can read. */
  readonly logins: readonly Login[];
}

export function repositoryOf(args: RepositoryArgs): Repository {
  const place = placeOf(args);
  if (place === null) throw new Error('the schema lets no such source through');
  const keyring = keyringOf(args, place);
  const hasKey = [args.key_url, args.key_text, args.keyid, args.signedby].some(
    (value) => value !== undefined,
  );
  const options = new Map(place.options);
  if (hasKey) options.set('signed-by', keyring);
  if (args.architectures !== undefined) options.set('arch', args.architectures.join(','));
  const isEnabled = args.enabled ?? !args.disabled;
  const components = args.comps ?? place.components;
  const uris = place.uris.map(withoutLogin);
  const entry = { ...place, uris, components, options, isEnabled };
  return { file: fileOf(args), entry, keyring, logins: loginsIn(place.uris) };
}

function keyringOf(args: RepositoryArgs, { options }: SourceEntry): string {
  return args.signedby ?? options.get('signed-by') ?? ownKeyringOf(args);
}

/** The keyring that a source has if none is named. */
export function ownKeyringOf(args: Place): string {
  return `${KEYRINGS}/${slugOf(args)}.gpg`;
}

/** The file that apt finds the logins of a source in. */
export function ownLoginFile(args: Place): string {
  return loginFile(slugOf(args));
}

/** The logins in the addresses of a source. */
export function loginsOf(args: Place): readonly Login[] {
  return loginsIn(placeOf(args)?.uris ?? []);
}

/** The file that a source stands in. */
export function fileOf(args: Place): string {
  const ending = args.uris === undefined && parseLine(args.name) !== null ? 'list' : 'sources';
  return args.file ?? `${DIRECTORY}/${slugOf(args)}.${ending}`;
}

/** `download.docker.com_linux_debian` for a line, the title itself otherwise. */
function slugOf({ name, uris }: Place): string {
  const line = uris === undefined ? parseLine(name) : null;
  const text = line?.uris[0]?.replace(/^[a-z0-9+.-]+:\/*(?:[^/@]*@)?/iu, '') ?? name;
  return text.replaceAll(/[^\w.-]+/gu, '_').replaceAll(/^[._-]+|[._-]+$/gu, '');
}

/** Whether a source can stand in its file: only the deb822 form has several of anything. */
export function fitsFile(args: Place): boolean {
  const place = placeOf(args);
  if (place === null || isDeb822(fileOf(args))) return true;
  return [place.types, place.uris, place.suites].every((list) => list.length === 1);
}
