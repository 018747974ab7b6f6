import { posix } from 'node:path';
import type { Account, Host, HostView } from '../../../host/host.ts';
import { groupNameOf, needUser } from '../../lib/accounts.ts';

/** One line of an authorized_keys file. */
export interface AuthorizedKey {
  /** Such as `ssh-ed25519`. */
  readonly enc: string;
  /** The key itself, in base64: what tells it from others. */
  readonly key: string;
  readonly options: readonly string[];
  readonly comment: string;
}

export const KEY_TYPES = [
  'ssh-ed25519',
  'ssh-rsa',
  'ssh-dss',
  'ecdsa-sha2-nistp256',
  'ecdsa-sha2-nistp384',
  'ecdsa-sha2-nistp521',
  'sk-ssh-ed25519@openssh.com',
  'sk-ecdsa-sha2-nistp256@openssh.com',
] as const;

const TYPES: readonly string[] = KEY_TYPES;

/** A line as sshd reads it; `null` for remarks and whatever else is no key. */
export function parseKeyLine(line: string): AuthorizedKey | null {
  const text = line.trim();
  if (text === '' || text.startsWith('#')) return null;
  const { options, rest } = TYPES.includes(firstWord(text))
    ? { options: [], rest: text }
    : splitOptions(text);
  const [enc = '', key = '', ...comment] = rest.split(/[ \t]+/u);
  if (!TYPES.includes(enc) || !isKeyOfType(key, enc)) return null;
  return { enc, key, options, comment: comment.join(' ') };
}

function firstWord(text: string): string {
  return /^\S+/u.exec(text)?.[0] ?? '';
}

/** Options are separated by commas and end at a space; either may stand in quotes. */
function splitOptions(text: string): { options: string[]; rest: string } {
  const whole = /^(?:"(?:\\.|[^"\\])*"|[^\s"])+/u.exec(text)?.[0] ?? '';
  const options = whole.match(/(?:"(?:\\.|[^"\\])*"|[^,"])+/gu) ?? [];
  return { options: [...options], rest: text.slice(whole.length).trim() };
}

/** The name of its type is the first thing in a key's own bytes. */
export function isKeyOfType(key: string, enc: string): boolean {
  if (!/^[A-Za-z0-9+/]+={0,2}$/u.test(key)) return false;
  const bytes = Buffer.from(key, 'base64');
  if (bytes.length < 4) return false;
  const length = bytes.readUInt32BE(0);
  return bytes.subarray(4, 4 + length).toString('latin1') === enc;
}

export function keyLine({ enc, key, options, comment }: AuthorizedKey): string {
  return [options.join(','), enc, key, comment].filter((part) => part !== '').join(' ');
}

/** Where a user's keys are; `null` if there is no such user. `%h` is the home, `%u` the name. */
export async function keyFile(
  { user, config }: { user: string; config: string },
  host: HostView,
): Promise<string | null> {
  const account = (await host.accounts()).get(user);
  return account === undefined ? null : keyFileOf(account, config);
}

/** The same, where it is to be written. Throws STATE_REFUSED if there is no such user. */
export async function neededKeyFile(
  { user, config }: { user: string; config: string },
  host: HostView,
): Promise<string> {
  return keyFileOf(await needKeyOwner(user, host), config);
}

function keyFileOf(account: Account, config: string): string {
  const path = config.replaceAll('%h', account.home).replaceAll('%u', account.name);
  return posix.resolve(account.home, path);
}

/** The lines of a key file, bytes as Latin-1 so that those of others go back as they came. */
export async function readKeyLines(path: string, host: HostView): Promise<string[]> {
  const bytes = await host.readFile(path);
  if (bytes === null || bytes.length === 0) return [];
  return Buffer.from(bytes).toString('latin1').replace(/\n$/u, '').split('\n');
}

/** Writes a user's keys, with a directory above them where there is none; both the user's alone. */
export async function writeKeyLines(
  user: string,
  path: string,
  lines: readonly string[],
  host: Host,
): Promise<void> {
  const owners = await ownersOf(await needKeyOwner(user, host), host);
  const directory = posix.dirname(path);
  if ((await host.status(directory)) === null) {
    await host.makeDirectory(directory, { ...owners, mode: '0700' });
  }
  const text = lines.map((line) => `${line}\n`).join('');
  await host.writeFile(path, Buffer.from(text, 'latin1'), { ...owners, mode: '0600' });
}

async function ownersOf({ name, gid }: Account, host: Host) {
  return { user: name, group: await groupNameOf(String(gid), host) };
}

/** Whose keys are to be written. Throws STATE_REFUSED if there is nobody of that name. */
export function needKeyOwner(user: string, host: HostView): Promise<Account> {
  return needUser(user, `Cannot write the keys of "${user}"`, host);
}
