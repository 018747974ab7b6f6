import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { runNow } from './command.ts';

/** How this machine reaches the outside: all that a test host has to be told so that it can, too. */
export interface Surroundings {
  /** Text of `resolv.conf`: only name servers that can be reached from another host. */
  readonly resolver: string;
  readonly nameServers: readonly string[];
  /** Every certificate this machine trusts, PEM. */
  readonly certificates: string;
  /** For every process on a test host. */
  readonly environment: Readonly<Record<string, string>>;
  /** Text of `pip.conf`. */
  readonly pip: string;
  /** Lines of apt's configuration that name its proxies; empty if it uses none. */
  readonly aptProxies: string;
}

/** Where Debian keeps the bundle of trusted certificates. */
const BUNDLE = '/etc/ssl/certs/ca-certificates.crt';

/** What various programs call the bundle of certificates they trust. */
const BUNDLE_VARIABLES = [
  'SSL_CERT_FILE',
  'CURL_CA_BUNDLE',
  'REQUESTS_CA_BUNDLE',
  'PIP_CERT',
  'GIT_SSL_CAINFO',
  'NODE_EXTRA_CA_CERTS',
];
const HANDED_VARIABLES = [
  'PIP_INDEX_URL',
  'PIP_EXTRA_INDEX_URL',
  'PIP_TRUSTED_HOST',
  'PIP_DEFAULT_TIMEOUT',
  'PIP_DISABLE_PIP_VERSION_CHECK',
  'http_proxy',
  'https_proxy',
  'no_proxy',
  'HTTP_PROXY',
  'HTTPS_PROXY',
  'NO_PROXY',
];
const RESOLVERS = ['/etc/resolv.conf', '/run/systemd/resolve/resolv.conf'];
const CERTIFICATE = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g;

/** Looks at this machine; changes nothing. */
export function readSurroundings(): Surroundings {
  const { resolver, nameServers } = readResolver();
  const bundle = process.env['SSL_CERT_FILE'] ?? BUNDLE;
  const handed = HANDED_VARIABLES.flatMap((name) => {
    const value = process.env[name];
    return value === undefined || value === '' ? [] : [[name, value] as const];
  });
  return {
    resolver,
    nameServers,
    certificates: existsSync(bundle) ? readFileSync(bundle, 'utf8') : '',
    environment: Object.fromEntries([
      ...BUNDLE_VARIABLES.map((name) => [name, BUNDLE] as const),
      ...handed,
    ]),
    pip: ['[global]', `cert = ${BUNDLE}`, ...pipIndexes(), ''].join('\n'),
    aptProxies: aptProxies(),
  };
}

/** Adds to a tree the certificates that this machine trusts and the tree does not. Returns how many. */
export function addCertificates(root: string, certificates: string): number {
  const known = new Set(fingerprints(readFileSync(join(root, BUNDLE), 'utf8')).keys());
  const missing = [...fingerprints(certificates)].filter(
    ([fingerprint]) => !known.has(fingerprint),
  );
  const directory = join(root, 'usr/local/share/ca-certificates');
  mkdirSync(directory, { recursive: true });
  for (const [fingerprint, pem] of missing) {
    writeFileSync(join(directory, `machine-${fingerprint.slice(0, 12)}.crt`), `${pem}\n`);
  }
  return missing.length;
}

/** Writes everything but the certificates into the tree of a host that has not been started yet. */
export function handIn(root: string, surroundings: Surroundings): void {
  const variables = Object.entries(surroundings.environment).map(
    ([name, value]) => `${name}="${value}"`,
  );
  const assignments = variables.map((variable) => `'${variable.replaceAll('"', '')}'`).join(' ');
  const files = {
    'etc/resolv.conf': surroundings.resolver,
    'etc/pip.conf': surroundings.pip,
    'etc/environment': `${variables.join('\n')}\n`,
    'etc/systemd/system.conf.d/10-surroundings.conf': `[Manager]\nDefaultEnvironment=${assignments}\n`,
    'etc/apt/apt.conf.d/90surroundings': surroundings.aptProxies,
  };
  for (const [path, content] of Object.entries(files)) writeInto(root, path, content);
}

/** Writes a file into a tree, with the directories above it. */
export function writeInto(root: string, path: string, content: string, mode = 0o644): void {
  mkdirSync(join(root, path, '..'), { recursive: true });
  writeFileSync(join(root, path), content, { mode });
}

function readResolver(): { resolver: string; nameServers: string[] } {
  for (const path of RESOLVERS.filter((candidate) => existsSync(candidate))) {
    const lines = readFileSync(path, 'utf8').split('\n');
    const servers = lines.flatMap((line) => /^nameserver\s+(\S+)/.exec(line)?.[1] ?? []);
    const reachable = servers.filter(
      (server) => /^\d+\./.test(server) && !server.startsWith('127.'),
    );
    if (reachable.length === 0) continue;
    const others = lines.filter((line) => /^(search|domain|options)\s/.test(line));
    const text = [...others, ...reachable.map((server) => `nameserver ${server}`), ''].join('\n');
    return { resolver: text, nameServers: reachable };
  }
  return { resolver: '', nameServers: [] };
}

function pipIndexes(): string[] {
  const config = process.env['XDG_CONFIG_HOME'] ?? join(homedir(), '.config');
  const files = ['/etc/pip.conf', join(homedir(), '.pip/pip.conf'), join(config, 'pip/pip.conf')];
  const lines = files
    .filter((path) => existsSync(path))
    .flatMap((path) => readFileSync(path, 'utf8').split('\n'));
  const kept = lines.filter((line) => /^(index-url|extra-index-url|trusted-host)\s*=/.test(line));
  return [...new Map(kept.map((line) => [line.split('=')[0]?.trim() ?? '', line])).values()];
}

function aptProxies(): string {
  const lines = runNow(['apt-config', 'dump', 'Acquire']).stdout.split('\n');
  return lines
    .filter((line) => /^Acquire::\w+::Proxy /i.test(line))
    .map((line) => `${line}\n`)
    .join('');
}

function fingerprints(bundle: string): Map<string, string> {
  const found = bundle.match(CERTIFICATE) ?? [];
  return new Map(
    found.map((pem) => [createHash('sha256').update(pem.replaceAll(/\s/g, '')).digest('hex'), pem]),
  );
}
