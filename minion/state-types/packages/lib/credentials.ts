import { posix } from 'node:path';
import type { HostView } from '../../../host/host.ts';
import { isOpen } from '../../lib/secrecy.ts';

/** Where apt looks for names and passwords; the sources themselves are read by everybody. */
const DIRECTORY = '/etc/apt/auth.conf.d';
/** Without this line a file is somebody else's. */
const HEADER = '# Written by Conductor (pkgrepo.managed)\n';

const ADDRESS = /^(?<scheme>(?:[a-z0-9]+\+)?https?:\/\/)(?<login>[^/]*)@(?<rest>.*)$/iu;

/** The address of a repository without the name and password in it. */
export function withoutLogin(uri: string): string {
  const { scheme, rest } = ADDRESS.exec(uri)?.groups ?? {};
  return scheme === undefined || rest === undefined ? uri : `${scheme}${rest}`;
}

/** A text with addresses as it may be shown: that there is a login in one, and not which. */
export function hideLogins(text: string): string {
  return text.replaceAll(/(https?:\/\/)[^/\s]*@/giu, '$1(login)@');
}

/** Who may fetch from a repository. */
export interface Login {
  /** As apt_auth.conf(5) names it. */
  readonly machine: string;
  readonly name: string;
  /** `''` if a name alone lets in, as tokens do. */
  readonly password: string;
}

/** The names and passwords that stand in addresses. */
export function loginsIn(uris: readonly string[]): readonly Login[] {
  return uris.flatMap((uri) => {
    const { scheme = '', login, rest = '' } = ADDRESS.exec(uri)?.groups ?? {};
    if (login === undefined) return [];
    const at = login.indexOf(':');
    const [name, password] = at < 0 ? [login, ''] : [login.slice(0, at), login.slice(at + 1)];
    const machine = `${schemeOf(scheme)}${rest.replace(/\/*$/u, '/')}`;
    return [{ machine, name: decoded(name), password: decoded(password) }];
  });
}

/** Only of https it need not be said, and never how its mirrors are found. */
function schemeOf(scheme: string): string {
  const plain = scheme.toLowerCase().replace(/^mirror\+/u, '');
  return /^(?:tor\+)?https:/u.test(plain) ? '' : plain;
}

function decoded(text: string): string {
  const bytes = text.replaceAll(/%([0-9a-f]{2})/giu, (_, digits: string) =>
    String.fromCodePoint(Number.parseInt(digits, 16)),
  );
  return Buffer.from(bytes, 'latin1').toString('utf8');
}

/** Whether apt can read them back: in its file nothing can be quoted. */
export function areReadable(logins: readonly Login[]): boolean {
  return logins.every(({ name, password }) => name !== '' && !/\s/u.test(name + password));
}

/** What nobody is to see of them: a name is a token if it lets in by itself. */
export function secretsOf(logins: readonly Login[]): readonly string[] {
  return logins.map(({ name, password }) => (password === '' ? name : password));
}

export function renderLogins(logins: readonly Login[]): string {
  const lines = logins.map(({ machine, name, password }) =>
    ['machine', machine, 'login', name, ...(password === '' ? [] : ['password', password])].join(
      ' ',
    ),
  );
  return HEADER + lines.map((line) => `${line}\n`).join('');
}

/** The file for what a source of this name needs. */
export function loginFile(slug: string): string {
  return posix.join(DIRECTORY, `${slug}.conf`);
}

const AS_DECLARED = '(as declared)';

/** What that file holds, as it may be told; `null` if there is none of ours. */
export async function describeLogins(
  path: string,
  logins: readonly Login[],
  host: HostView,
): Promise<string | null> {
  const bytes = await host.readFile(path);
  const text = Buffer.from(bytes ?? []).toString();
  if (bytes === null || (logins.length === 0 && !text.startsWith(HEADER))) return null;
  if (text !== renderLogins(logins)) return '(another one)';
  const { mode = '' } = (await host.status(path)) ?? {};
  return isOpen(mode) ? '(as declared, for all to read)' : AS_DECLARED;
}

/** How it is to be; where there are no logins nothing is wanted, but that a file of ours goes. */
export async function wantedLogin(
  path: string,
  logins: readonly Login[],
  host: HostView,
): Promise<{ readonly login?: string | null }> {
  if (logins.length > 0) return { login: AS_DECLARED };
  return (await describeLogins(path, logins, host)) === null ? {} : { login: null };
}
