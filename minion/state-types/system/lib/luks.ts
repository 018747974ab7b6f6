import { ConductorError } from '../../../../shared/errors.ts';
import type { Argv, Host, HostView } from '../../../host/host.ts';
import { failed } from '../../lib/ask.ts';

/** Encrypted volumes, by cryptsetup. Whoever only looks takes no locks, for these are files. */

const LOOK = ['cryptsetup', '--disable-locks'] as const;
/** What cryptsetup exits with if a key opens nothing. */
const NO_SUCH_KEY = 2;
/** Deriving a key takes its time on a small machine, and making a file system on a big device too. */
const SLOW_MS = 1_200_000;

export interface Header {
  readonly hasHeader: boolean;
  /** A header without any key is what is left of a format that was cut short: nothing can be behind it. */
  readonly hasKeys: boolean;
}

export async function readHeader(device: string, host: HostView): Promise<Header> {
  const dump = await host.query([...LOOK, 'luksDump', '--', device]);
  if (dump.exitCode === 127) throw failed(`look at "${device}"`, LOOK, dump);
  return {
    hasHeader: dump.exitCode === 0,
    hasKeys: dump.exitCode === 0 && hasKeySlot(dump.stdout),
  };
}

/** Of both versions of the format. */
export function hasKeySlot(dump: string): boolean {
  return /^ {2}\d+: luks2$/mu.test(dump) || /^Key Slot \d+: ENABLED$/mu.test(dump);
}

/** Whether nothing at all is on a device: no trace that anything known leaves, and zeros at its start. */
export async function isBlank(device: string, host: HostView): Promise<boolean> {
  if ((await contentOf(device, host)) !== null) return false;
  const start = await host.query([
    'cmp',
    '--silent',
    `--bytes=${1024 * 1024}`,
    '--',
    device,
    '/dev/zero',
  ]);
  return start.exitCode === 0;
}

/** The type of what is on a device, such as `ext4`; `null` if blkid knows nothing of it. Throws if that is not clear. */
export async function contentOf(device: string, host: HostView): Promise<string | null> {
  const argv: Argv = ['blkid', '--probe', '--output', 'export', '--', device];
  const answer = await host.query(argv);
  if (answer.exitCode === 2 && answer.stderr === '') return null;
  if (answer.exitCode !== 0) throw failed(`find out what is on "${device}"`, argv, answer);
  const [, type] = /^(?:TYPE|PTTYPE)=(?<type>.+)$/mu.exec(answer.stdout) ?? [];
  return type ?? 'something';
}

/** Whether no volume of this name is open. One of this name from another device is refused. */
export async function closedVolume(name: string, device: string, host: HostView): Promise<boolean> {
  if ((await host.status(`/dev/mapper/${name}`)) === null) return true;
  const answer = await host.query([...LOOK, 'status', '--', name]);
  if (answer.exitCode !== 0) return true;
  const [, from = '', file = from] =
    /^\s*device:\s*(?<from>.+)$(?:[^]*^\s*loop:\s*(?<file>.+)$)?/mu.exec(answer.stdout) ?? [];
  const real = await host.query(['realpath', '--', device, from, file]);
  const [wanted, ...actual] = real.stdout.trim().split('\n');
  if (wanted !== undefined && actual.includes(wanted)) return false;
  throw new ConductorError(
    'STATE_REFUSED',
    `Cannot open the encrypted volume "${name}": one of that name is open, from "${file}" and not from "${device}"`,
    { lacks: [] },
  );
}

interface Volume {
  readonly name: string;
  readonly device: string;
  readonly key: string;
  readonly pbkdf?: string;
}

export async function formatVolume({ device, key, pbkdf }: Volume, host: Host): Promise<void> {
  const kind = ['--type', 'luks2', ...(pbkdf === undefined ? [] : ['--pbkdf', pbkdf])];
  await host.run(
    ['cryptsetup', 'luksFormat', '--batch-mode', ...kind, '--key-file=-', '--', device],
    { input: key, timeoutMs: SLOW_MS },
  );
}

/** Tries a key without opening anything. */
export async function refuseKey({ device, key }: Volume, host: HostView): Promise<void> {
  const argv: Argv = [...LOOK, 'open', '--test-passphrase', '--key-file=-', '--', device];
  const answer = await host.query(argv, { input: key, timeoutMs: SLOW_MS });
  if (answer.exitCode === 0) return;
  if (answer.exitCode !== NO_SUCH_KEY) throw failed(`try the key of "${device}"`, argv, answer);
  throw new ConductorError(
    'STATE_REFUSED',
    `Cannot open the encrypted volume on "${device}": this key does not open it`,
    { lacks: [] },
  );
}

export async function openVolume({ name, device, key }: Volume, host: Host): Promise<void> {
  await host.run(['cryptsetup', 'open', '--type', 'luks', '--key-file=-', '--', device, name], {
    input: key,
    timeoutMs: SLOW_MS,
  });
}

export async function makeFileSystem(device: string, fstype: string, host: Host): Promise<void> {
  await host.run([`mkfs.${fstype}`, '-q', '--', device], { timeoutMs: SLOW_MS });
}
