/** One place that packages come from, as an entry of apt's sources says it. */
export interface SourceEntry {
  readonly types: readonly string[];
  readonly uris: readonly string[];
  readonly suites: readonly string[];
  readonly components: readonly string[];
  /** In the names of the one-line form: `arch`, `signed-by`, `trusted`. */
  readonly options: ReadonlyMap<string, string>;
  readonly isEnabled: boolean;
}

const LINE = /^(?<off>#+\s*)?(?<type>deb(?:-src)?)\s+(?:\[(?<options>[^\]]*)\]\s+)?(?<rest>\S.*)$/u;

/** `deb [arch=amd64] https://example.org/debian bookworm main`; a line that is commented out is disabled. */
export function parseLine(line: string): SourceEntry | null {
  const { off, type, options = '', rest } = LINE.exec(line.trim())?.groups ?? {};
  if (type === undefined || rest === undefined) return null;
  const [uri, suite, ...components] = rest
    .replace(/\s#.*$/u, '')
    .trim()
    .split(/\s+/u);
  if (uri === undefined || suite === undefined || !/^[a-z][a-z0-9+.-]*:/iu.test(uri)) return null;
  return {
    types: [type],
    uris: [withoutSlash(uri)],
    suites: [suite],
    components,
    options: new Map(options.trim().split(/\s+/u).flatMap(parseOption)),
    isEnabled: off === undefined,
  };
}

function parseOption(text: string): [string, string][] {
  const end = text.indexOf('=');
  return end < 1 ? [] : [[text.slice(0, end).toLowerCase(), text.slice(end + 1)]];
}

export function withoutSlash(uri: string): string {
  return uri.replace(/\/+$/u, '');
}

/** One line for each type, URI and suite. */
export function renderLines(entry: SourceEntry): string[] {
  const { types, uris, suites, components, isEnabled } = entry;
  const options = sorted(entry.options).map(([name, value]) => `${name}=${value}`);
  const shown = options.length === 0 ? [] : [`[${options.join(' ')}]`];
  return types.flatMap((type) =>
    uris.flatMap((uri) =>
      suites.map((suite) =>
        [...(isEnabled ? [] : ['#']), type, ...shown, uri, suite, ...components].join(' '),
      ),
    ),
  );
}

function sorted(options: ReadonlyMap<string, string>): [string, string][] {
  return [...options].toSorted(([one], [other]) => (one < other ? -1 : 1));
}

const LISTS = ['types', 'uris', 'suites', 'components'] as const;
const FIELDS: ReadonlyMap<string, string> = new Map([
  ['architectures', 'arch'],
  ['languages', 'lang'],
  ['targets', 'target'],
]);
const NAMES: ReadonlyMap<string, string> = new Map([
  ['arch', 'Architectures'],
  ['lang', 'Languages'],
  ['target', 'Targets'],
  ['signed-by', 'Signed-By'],
  ['trusted', 'Trusted'],
]);

/** One stanza in the deb822 form; `null` if it is no source. */
export function parseStanza(stanza: string): SourceEntry | null {
  const fields = parseFields(stanza);
  const lists = LISTS.map((name) =>
    (fields.get(name) ?? '').split(/\s+/u).filter((one) => one !== ''),
  );
  const [types = [], uris = [], suites = [], components = []] = lists;
  if (types.length === 0 || uris.length === 0 || suites.length === 0) return null;
  const isEnabled = !/^(?:no|false|0|off|without|disable)$/iu.test(fields.get('enabled') ?? 'yes');
  const options = [...fields].flatMap(([name, value]): [string, string][] => {
    if (name === 'enabled' || LISTS.some((list) => list === name)) return [];
    const short = FIELDS.get(name);
    return [[short ?? name, short === undefined ? value : value.split(/\s+/u).join(',')]];
  });
  return {
    types,
    uris: uris.map(withoutSlash),
    suites,
    components,
    options: new Map(options),
    isEnabled,
  };
}

function parseFields(stanza: string): ReadonlyMap<string, string> {
  const fields = new Map<string, string>();
  let last = '';
  for (const line of stanza.split('\n')) {
    const { name, value = '' } = /^(?<name>[^\s:#]+):\s*(?<value>.*)$/u.exec(line)?.groups ?? {};
    if (name !== undefined) {
      last = name.toLowerCase();
      fields.set(last, value.trim());
    } else if (/^\s/u.test(line) && last !== '') {
      fields.set(last, `${fields.get(last) ?? ''}\n${line}`.trim());
    }
  }
  return fields;
}

export function renderStanza(entry: SourceEntry): string[] {
  const { types, uris, suites, components, options, isEnabled } = entry;
  const more = sorted(options).map(([name, value]) => {
    const long = NAMES.get(name) ?? name;
    const isList = [...FIELDS.values()].includes(name);
    return `${long}: ${isList ? value.split(',').join(' ') : value}`;
  });
  return [
    `Types: ${types.join(' ')}`,
    `URIs: ${uris.join(' ')}`,
    `Suites: ${suites.join(' ')}`,
    ...(components.length === 0 ? [] : [`Components: ${components.join(' ')}`]),
    ...more,
    ...(isEnabled ? [] : ['Enabled: no']),
  ];
}
