/**
 * The full name of a host, from its own name and `/etc/hosts`; asks nobody, so it cannot hang. The
 * bare name if there is no longer one.
 */
export function fqdnOf(hostname: string, hosts: string): string {
  if (hostname.includes('.')) return hostname;
  for (const line of hosts.split('\n')) {
    const [, ...names] = line.replace(/#.*/u, '').trim().split(/\s+/u);
    const full = names.find((name) => name.startsWith(`${hostname}.`));
    if (full !== undefined) return full;
  }
  return hostname;
}
