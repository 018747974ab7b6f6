import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

/** Where packages of one suite come from. */
export interface AptSource {
  readonly uri: string;
  readonly suite: string;
  readonly components: readonly string[];
}

/** The suite test hosts run, whatever release this machine runs. */
export const SUITE = 'bookworm';

/**
 * The mirrors this machine takes Debian from (release, updates, security), for the suite of test hosts. Sources of
 * anything but Debian's own suites are left out.
 */
export function machineSources(codename: string, directory = '/etc/apt'): AptSource[] {
  const lists = join(directory, 'sources.list.d');
  const names = existsSync(lists) ? readdirSync(lists).toSorted() : [];
  const files = [join(directory, 'sources.list'), ...names.map((name) => join(lists, name))];
  const found = files
    .filter((path) => /\.(list|sources)$/.test(path) && existsSync(path))
    .flatMap((path) => {
      const text = readFileSync(path, 'utf8');
      return path.endsWith('.sources') ? parseStanzas(text) : parseLines(text);
    });
  const ours = found.flatMap((source) => forTestHosts(source, codename));
  const bySuite = new Map(ours.toReversed().map((source) => [source.suite, source]));
  return [...bySuite.values()].toReversed();
}

/** The form `sources.list` has. */
export function sourceLine({ uri, suite, components }: AptSource): string {
  return `deb ${uri} ${suite} ${components.join(' ')}`;
}

/** `sources.list`: one source a line. */
export function parseLines(text: string): AptSource[] {
  return text.split('\n').flatMap((line) => {
    const match = /^deb\s+(?:\[[^\]]*\]\s+)?(\S+)\s+(\S+)\s+([^#]+)/.exec(line.trim());
    if (match === null) return [];
    const [, uri = '', suite = '', components = ''] = match;
    return [{ uri, suite, components: words(components) }];
  });
}

/** `*.sources`: stanzas of fields, each for all its suites. */
export function parseStanzas(text: string): AptSource[] {
  const stanzas = text.replaceAll(/^#.*\n?/gm, '').split(/\n\s*\n/);
  return stanzas.flatMap((stanza) => {
    const fields = fieldsOf(stanza);
    if (fields['enabled']?.toLowerCase() === 'no') return [];
    if (!words(fields['types'] ?? '').includes('deb')) return [];
    const components = words(fields['components'] ?? '');
    return words(fields['uris'] ?? '').flatMap((uri) =>
      words(fields['suites'] ?? '').map((suite) => ({ uri, suite, components })),
    );
  });
}

function fieldsOf(stanza: string): Record<string, string> {
  const unfolded = stanza.replaceAll(/\n[ \t]+/g, ' ');
  const pairs = unfolded.split('\n').flatMap((line) => {
    const colon = line.indexOf(':');
    return colon === -1 ? [] : [[line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()]];
  });
  return Object.fromEntries(pairs) satisfies Record<string, string>;
}

function forTestHosts(source: AptSource, codename: string): AptSource[] {
  const suites = ['', '-updates', '-security'];
  const suffix = suites.find((end) => source.suite === `${codename}${end}`);
  if (suffix === undefined || !source.components.includes('main')) return [];
  return [{ uri: source.uri, suite: `${SUITE}${suffix}`, components: ['main'] }];
}

function words(text: string): string[] {
  return text.split(/\s+/).filter(Boolean);
}
