import { createHash } from 'node:crypto';

/** A text as a literal. */
export function literal(text: string): string {
  const escaped = text.replaceAll('\\', '\\\\').replaceAll("'", "''");
  return `'${escaped.replaceAll('\n', '\\n').replaceAll('\r', '\\r')}'`;
}

/** A name as an identifier. */
export function identifier(name: string): string {
  return `\`${name.replaceAll('`', '``')}\``;
}

/** An account as statements name it: `'deploy'@'localhost'`. */
export function account(name: string, host: string): string {
  return `${literal(name)}@${literal(host)}`;
}

/** What a server keeps of a password: `*` and the double SHA-1. */
export function nativeHash(password: string): string {
  const once = createHash('sha1').update(password).digest();
  return `*${createHash('sha1').update(once).digest('hex').toUpperCase()}`;
}
