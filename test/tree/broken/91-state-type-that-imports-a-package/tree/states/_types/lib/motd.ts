import type { HostView } from 'conductor';

export const PATH = '/etc/motd';

/** The message of the day, line by line. */
export async function linesOf(host: HostView): Promise<string[]> {
  const bytes = await host.readFile(PATH);
  const text = bytes === null ? '' : new TextDecoder().decode(bytes);
  return text.split('\n').filter((line) => line !== '');
}
