import { z } from 'zod';
import { EXPOSED, absolutePath } from '../lib/fields.ts';
import { mountOptions } from './mount-schema.ts';

export const luksSchema = z
  .strictObject({
    name: z
      .string()
      .regex(/^[\w.+-]{1,100}$/u, { error: 'expected a name such as data' })
      .regex(/^(?!control$)(?!-)/u)
      .describe('Name of the opened volume: it is /dev/mapper/NAME'),
    device: absolutePath.describe('The device, partition or image that is encrypted'),
    key: z
      .string()
      .transform((key) => key.replace(/\n$/u, ''))
      .pipe(z.string().min(1).max(4096))
      .meta({ secret: true })
      .describe('The passphrase, usually from the pillar; a line end behind it does not count'),
    format: z
      .boolean()
      .default(false)
      .describe(
        'Whether a device that is blank is encrypted, and an empty volume gets its file system',
      ),
    pbkdf: z
      .enum(['argon2id', 'argon2i', 'pbkdf2'])
      .exactOptional()
      .describe('How a new volume makes its key of the passphrase; as cryptsetup does if absent'),
    fstype: z
      .enum(['ext4', 'ext3', 'ext2', 'xfs', 'btrfs'])
      .exactOptional()
      .describe('File system of the volume; nothing is looked for in it if absent'),
    mount: absolutePath.exactOptional().describe('Where the volume is mounted; made if missing'),
    opts: mountOptions.default(['defaults']).describe('Options to mount it with').meta(EXPOSED),
  })
  .refine(({ mount, fstype }) => mount === undefined || fstype !== undefined, {
    error: 'what is mounted needs a `fstype`',
    path: ['fstype'],
  })
  .describe(
    'An encrypted volume (LUKS) that is open, with its file system, and mounted. The key comes from the pillar and is ' +
      'given to cryptsetup on its input, so it is on no disk of the host: after a boot the next run opens the volume ' +
      'again. Only with `format`, and only a device on which nothing is found, is encrypted anew.',
  );

export type LuksArgs = z.infer<typeof luksSchema>;
