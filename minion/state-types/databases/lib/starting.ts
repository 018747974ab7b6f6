import type { HostView } from '../../../host/host.ts';

/** Whether systemd is starting a unit of that pattern just now. */
export async function isStarting(host: HostView, pattern: string): Promise<boolean> {
  const plain = ['--no-legend', '--plain', '--state=activating,reloading'];
  const { stdout } = await host.query(['systemctl', 'list-units', ...plain, '--', pattern]);
  return stdout.trim() !== '';
}
