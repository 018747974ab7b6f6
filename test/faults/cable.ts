import { run } from '../hosts/command.ts';
import type { Argv } from '../hosts/command.ts';
import type { Host } from '../hosts/host.ts';

/** What packets a host loses silently, by rules in its own network that nothing on it knows of. */
export type Direction = 'in' | 'out';

const TABLE = 'fault';

/** From now on the host hears nothing of another (`in`), or the other nothing of it (`out`). */
export async function lose(host: Host, direction: Direction, other: string): Promise<void> {
  const [hook, which] = direction === 'in' ? ['input', 'saddr'] : ['output', 'daddr'];
  const commands = [
    `add table ip ${TABLE}`,
    `add chain ip ${TABLE} lossy { type filter hook ${hook} priority -200; policy accept; }`,
    `add rule ip ${TABLE} lossy ip ${which} ${other} drop`,
  ];
  await inNetworkOf(host, ['nft', commands.join('; ')]);
}

/** Undoes `lose`. */
export async function loseNothing(host: Host): Promise<void> {
  await inNetworkOf(host, ['nft', `delete table ip ${TABLE}`]);
}

async function inNetworkOf(host: Host, argv: Argv): Promise<void> {
  await run(['nsenter', `--net=/proc/${host.leader}/ns/net`, '--', ...argv]);
}
