import { z } from 'zod';
import { accountName, seconds, tcpPort } from '../lib/fields.ts';
import { KEY_TYPES, isKeyOfType } from './lib/authorized-keys.ts';
import { parseFingerprint } from './lib/known-hosts.ts';

const fields = {
  name: z
    .string()
    .regex(/^[\w:.][\w.:-]*$/u, { error: 'expected the name or address of a host' })
    .transform((name) => name.toLowerCase())
    .describe('Name or address of the host, as it is given to ssh'),
  user: accountName
    .exactOptional()
    .describe('Whose known_hosts it stands in; that of all users if absent'),
  port: tcpPort.default(22).describe('Port of its ssh server'),
  config: z
    .string()
    .regex(/^[^\0\n]+$/u)
    .exactOptional()
    .describe(
      'The file, from the home directory; .ssh/known_hosts or /etc/ssh/ssh_known_hosts if absent',
    ),
};

/** Salt's short names of the types. */
const SHORT: Readonly<Record<string, string>> = {
  ed25519: 'ssh-ed25519',
  rsa: 'ssh-rsa',
  dss: 'ssh-dss',
  dsa: 'ssh-dss',
  ecdsa: 'ecdsa-sha2-nistp256',
};

export const presentSchema = z
  .strictObject({
    ...fields,
    enc: z
      .string()
      .transform((enc) => SHORT[enc] ?? enc)
      .pipe(z.enum(KEY_TYPES))
      .exactOptional()
      .describe('Type of the key, such as ssh-ed25519; needed with `key`'),
    key: z
      .string()
      .exactOptional()
      .describe(
        'The public key of the host: the second word of what ssh-keyscan prints after the name',
      ),
    fingerprint: z
      .string()
      .refine((text) => parseFingerprint(text) !== null, {
        error: 'expected a fingerprint such as SHA256:+DiY3wvvV6TuJJhbpZisF/zLDA0zPMSvHdkr4UvCOqU',
      })
      .exactOptional()
      .describe('Fingerprint of the key, which the host itself is then asked for'),
    fingerprint_hash_type: z
      .enum(['md5', 'sha1', 'sha256'])
      .exactOptional()
      .describe('How the fingerprint was made; it is told by its length if absent'),
    hash_known_hosts: z
      .boolean()
      .exactOptional()
      .describe("Whether the host's name is hashed in the file; of a new line it is if absent"),
    timeout: seconds
      .pipe(z.int().min(1).max(120))
      .default(5)
      .describe('Seconds to wait for the host when it is asked for its key'),
  })
  .refine(({ key, fingerprint }) => (key === undefined) !== (fingerprint === undefined), {
    error:
      'expected either `key` or `fingerprint`: a key that nobody vouches for proves nothing of the host',
    path: ['key'],
  })
  .refine(({ key, enc }) => key === undefined || (enc !== undefined && isKeyOfType(key, enc)), {
    error: 'expected the public key alone, and its type as `enc`',
    path: ['key'],
  })
  .refine(
    ({ fingerprint = '', fingerprint_hash_type: type }) =>
      type === undefined || fingerprint === '' || parseFingerprint(fingerprint)?.algorithm === type,
    { error: 'the fingerprint is of another kind than that', path: ['fingerprint_hash_type'] },
  )
  .describe(
    'The key by which ssh knows a host, for one user or for all. It is given as `key`, or as a `fingerprint`: then the host ' +
      'is asked for its keys and the one with that fingerprint is taken. Keys of other types and other lines stay.',
  );

export const absentSchema = z
  .strictObject(fields)
  .describe('No key by which ssh knows a host, for one user or for all. Lines with patterns stay.');

export type PresentArgs = z.infer<typeof presentSchema>;
export type AbsentArgs = z.infer<typeof absentSchema>;
