import { statfsSync } from 'node:fs';

/** A file system on a disk. */
export type Disk = {
  readonly mount: string;
  readonly device: string;
  readonly type: string;
  /** In MiB; how much of it is free changes all the time and is no fact. */
  readonly size: number;
};

type Mount = Omit<Disk, 'size'>;

/** Lines of `/proc/mounts` that stand for disks: each device once, at its first mount point. */
export function parseMounts(text: string): readonly Mount[] {
  const byDevice = new Map<string, Mount>();
  for (const line of text.split('\n')) {
    const [device = '', mount = '', type = ''] = line.split(' ').map(unescaped);
    const isDisk = mount === '/' || (device.startsWith('/dev/') && !device.startsWith('/dev/loop'));
    if (isDisk && !byDevice.has(device)) byDevice.set(device, { mount, device, type });
  }
  return [...byDevice.values()];
}

export function readDisks(mounts: readonly Mount[]): readonly Disk[] {
  return mounts.map((mount) => {
    const { blocks, bsize } = statfsSync(mount.mount);
    return { ...mount, size: Math.floor((blocks * bsize) / 1024 ** 2) };
  });
}

/** `\040` is a space. */
function unescaped(field: string): string {
  return field.replaceAll(/\\([0-7]{3})/gu, (_all, octal: string) =>
    String.fromCharCode(Number.parseInt(octal, 8)),
  );
}
