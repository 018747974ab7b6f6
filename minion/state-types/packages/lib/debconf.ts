import { ConductorError } from '../../../../shared/errors.ts';
import type { HostView } from '../../../host/host.ts';

const DIRECTORY = '/var/cache/debconf';

/** All answers that debconf keeps, by question; read from its files, because asking it writes. */
export function readAnswers(host: HostView): Promise<ReadonlyMap<string, string>> {
  return host.shared('debconf', async () => {
    const config = await host.readFile(`${DIRECTORY}/config.dat`);
    if (config === null) {
      throw new ConductorError(
        'STATE_REFUSED',
        `Cannot read the answers of debconf: there is no "${DIRECTORY}/config.dat"`,
      );
    }
    const passwords = await host.readFile(`${DIRECTORY}/passwords.dat`);
    const texts = [config, passwords ?? new Uint8Array()].map((bytes) =>
      Buffer.from(bytes).toString(),
    );
    return new Map(texts.flatMap((text) => [...parseAnswers(text)]));
  });
}

/** Paragraphs with a name and, once somebody has answered, a value. */
export function parseAnswers(text: string): ReadonlyMap<string, string> {
  const answers = new Map<string, string>();
  for (const paragraph of text.split(/\n\n+/u)) {
    const name = /^Name: (.+)$/mu.exec(paragraph)?.[1];
    const value = /^Value: ?(.*)$/mu.exec(paragraph)?.[1];
    const isSeen = /^Flags:.*\bseen\b/mu.test(paragraph);
    if (name !== undefined && value !== undefined && isSeen)
      answers.set(name, value.replaceAll(String.raw`\n`, '\n'));
  }
  return answers;
}
