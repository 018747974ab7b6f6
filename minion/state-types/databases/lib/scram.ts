import { createHash, createHmac, pbkdf2Sync, randomBytes, timingSafeEqual } from 'node:crypto';

/** PostgreSQL's own default. */
const ITERATIONS = 4096;
const SALT_BYTES = 16;
const VERIFIER =
  /^SCRAM-SHA-256\$(?<iterations>\d+):(?<salt>[^$]+)\$(?<stored>[^:]+):(?<server>.+)$/u;
const MD5 = /^md5[0-9a-f]{32}$/u;

interface Salted {
  readonly salt: Buffer;
  readonly iterations: number;
}

/** What PostgreSQL keeps of a password: enough to check it, useless for logging in. */
export function scramVerifier(password: string, given?: Salted): string {
  const { salt, iterations } = given ?? {
    salt: randomBytes(SALT_BYTES),
    iterations: ITERATIONS,
  };
  const salted = pbkdf2Sync(prepared(password), salt, iterations, 32, 'sha256');
  const clientKey = createHmac('sha256', salted).update('Client Key').digest();
  const storedKey = createHash('sha256').update(clientKey).digest('base64');
  const serverKey = createHmac('sha256', salted).update('Server Key').digest('base64');
  return `SCRAM-SHA-256$${iterations}:${salt.toString('base64')}$${storedKey}:${serverKey}`;
}

/** Whether a text is what PostgreSQL keeps of a password, rather than a password. */
export function isVerifier(text: string): boolean {
  return VERIFIER.test(text) || MD5.test(text);
}

/**
 * Whether a password (or a ready verifier) is the one that PostgreSQL keeps as `kept` for a role;
 * decided without a login. `null` is a role without a password.
 */
export function passwordWorks(password: string, role: string, kept: string | null): boolean {
  if (kept === null) return false;
  if (isVerifier(password)) return equal(password, kept);
  if (MD5.test(kept)) return equal(md5Of(password, role), kept);
  const { iterations, salt } = VERIFIER.exec(kept)?.groups ?? {};
  if (iterations === undefined || salt === undefined) return false;
  const parameters = { salt: Buffer.from(salt, 'base64'), iterations: Number(iterations) };
  return equal(scramVerifier(password, parameters), kept);
}

/** What PostgreSQL kept of passwords before it knew SCRAM. */
export function md5Of(password: string, role: string): string {
  return `md5${createHash('md5').update(`${password}${role}`).digest('hex')}`;
}

function equal(a: string, b: string): boolean {
  const [left, right] = [Buffer.from(a), Buffer.from(b)];
  return left.length === right.length && timingSafeEqual(left, right);
}

/** SASLprep as far as it changes passwords that people have: spaces and compatibility forms. */
function prepared(password: string): string {
  return password
    .replaceAll(/[\u00A0\u1680\u2000-\u200A\u202F\u205F\u3000]/gu, ' ')
    .replaceAll(/[\u00AD\u200B-\u200D\u2060\uFEFF]/gu, '')
    .normalize('NFKC');
}
