import { ConductorError } from '../shared/errors.ts';
import { digestOfFingerprint } from './fingerprint.ts';

/** All that a new minion needs: where its master is, how to know it, and a one-use token. */
export interface JoinString {
  readonly tokenId: Uint8Array;
  readonly secret: Uint8Array;
  /** `host:port`, an IPv6 address in brackets. */
  readonly address: string;
  readonly rootFingerprint: string;
}

export const TOKEN_ID_LENGTH = 16;
export const TOKEN_SECRET_LENGTH = 32;

/** `cdr1join.<token id>.<secret>@host:port#<root fingerprint>`. */
export function formatJoinString(join: JoinString): string {
  const [id, secret] = [join.tokenId, join.secret].map((bytes) =>
    Buffer.from(bytes).toString('base64url'),
  );
  return `cdr1join.${id}.${secret}@${join.address}#${join.rootFingerprint}`;
}

/** Throws JOIN_STRING_INVALID, which never tells the secret. */
export function parseJoinString(text: string): JoinString {
  const { id, secret, address, fingerprint } = partsOf(text.trim());
  if (!isAddress(address)) throw invalid(`"${address}" is no host:port`);
  if (digestOfFingerprint(fingerprint) === null)
    throw invalid('it does not end with the fingerprint of a root key (was it cut off?)');
  return {
    tokenId: decode(id, TOKEN_ID_LENGTH, 'token'),
    secret: decode(secret, TOKEN_SECRET_LENGTH, 'secret'),
    address,
    rootFingerprint: fingerprint,
  };
}

type Part = 'id' | 'secret' | 'address' | 'fingerprint';

function partsOf(text: string): Record<Part, string> {
  if (text === '') throw invalid('nothing was given');
  if (!text.startsWith('cdr1join.')) throw invalid('it does not start with "cdr1join."');
  const match = /^cdr1join\.([^.@#]*)\.([^.@#]*)@([^@#]*)#?([^@#]*)$/u.exec(text);
  if (match === null)
    throw invalid('it is not "cdr1join.<token>.<secret>@host:port#<fingerprint>"');
  const [, id = '', secret = '', address = '', fingerprint = ''] = match;
  return { id, secret, address, fingerprint };
}

function decode(text: string, length: number, part: string): Uint8Array {
  const bytes = Buffer.from(text, 'base64url');
  if (bytes.length !== length || bytes.toString('base64url') !== text)
    throw invalid(`its ${part} is damaged`);
  return new Uint8Array(bytes);
}

function isAddress(address: string): boolean {
  const match = /^(?:[A-Za-z0-9.-]+|\[[0-9A-Fa-f:.]+\]):(?<port>\d{1,5})$/u.exec(address);
  const port = Number(match?.groups?.['port']);
  return port > 0 && port < 65_536;
}

function invalid(problem: string): ConductorError {
  return new ConductorError('JOIN_STRING_INVALID', `Cannot read the join string: ${problem}`);
}
