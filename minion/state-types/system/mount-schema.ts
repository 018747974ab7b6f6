import { z } from 'zod';
import { EXPOSED, absolutePath, idleArgument } from '../lib/fields.ts';

/** Options as a text with commas or as a list. */
export const mountOptions = z
  .union([z.string(), z.array(z.string())])
  .transform((given) => (typeof given === 'string' ? given : given.join(',')))
  .pipe(
    z
      .string()
      .regex(/^[^\s\0]+$/u, { error: 'expected options such as noatime or size=64m' })
      .regex(/^(?!(?:.*,)?pass(?:word|wd)?=)/u, {
        error:
          'a password here would be seen by everybody; `credentials=/a/file` names a file with it',
      })
      .transform((text) => text.split(',').filter((option) => option !== '')),
  );

const config = absolutePath.default('/etc/fstab').describe('The file that lists mounts for boot');

const deviceName = z.string().regex(/^[^\s\0-][^\0\n]*$/u, {
  error: 'expected a device, such as /dev/vdb1, UUID=…, LABEL=data or server:/path',
});

export const mountedSchema = z
  .strictObject({
    name: absolutePath.describe('Where it is mounted'),
    device: deviceName.describe(
      'What is mounted: a device or image, UUID=…, LABEL=…, a directory with `bind`, server:/path, or any word such as tmpfs',
    ),
    fstype: z
      .string()
      .regex(/^[\w.-]+$/u)
      .describe('Type of the file system, such as ext4 or tmpfs; none with `bind`'),
    opts: mountOptions
      .default(['defaults'])
      .describe('Options, as a list or with commas, such as [noatime, nofail]'),
    mkmnt: z.boolean().default(false).describe('Whether a missing directory to mount at is made'),
    mount: z
      .boolean()
      .default(true)
      .describe('Whether it is mounted now; false only lists it for boot'),
    persist: z
      .boolean()
      .default(true)
      .describe('Whether fstab lists it, so that every boot mounts it'),
    dump: z.int().min(0).max(1).default(0).describe('Whether the program dump saves it'),
    pass_num: z.int().min(0).max(9).default(0).describe('When fsck checks it at boot; 0 is never'),
    config,
    match_on: idleArgument('what is at the path is what counts'),
  })
  .describe(
    'A file system that is mounted at a path, and listed in fstab. Other lines of fstab are kept as they are. Something ' +
      'else that is mounted there is unmounted first; other options are set by mounting it anew in place. Options that ' +
      'the kernel does not show, such as many of network file systems, are not compared.',
  );

export const unmountedSchema = z
  .strictObject({
    name: absolutePath.describe('Where nothing is to be mounted'),
    device: deviceName
      .exactOptional()
      .describe('Only this is not to be mounted there; whatever it is if absent')
      .meta(EXPOSED),
    persist: z.boolean().default(false).describe('Whether its line in fstab goes as well'),
    config,
  })
  .describe(
    'Nothing is mounted at a path. The directory stays; a file system that is in use is not unmounted, and that is a failure.',
  );

export const swapSchema = z
  .strictObject({
    name: deviceName.describe('The swap file or device, or UUID=…, LABEL=…'),
    persist: z
      .boolean()
      .default(true)
      .describe('Whether fstab lists it, so that every boot uses it'),
    opts: mountOptions
      .default(['sw'])
      .describe('Options in fstab, such as sw or pri=10')
      .meta(EXPOSED),
    config,
  })
  .describe(
    'A swap file or device that is in use, and listed in fstab. It must be there and have been made with mkswap.',
  );

export type MountedArgs = z.infer<typeof mountedSchema>;
export type UnmountedArgs = z.infer<typeof unmountedSchema>;
export type SwapArgs = z.infer<typeof swapSchema>;
