import { attempt, sh } from '../e2e/installed-hosts.ts';
import type { Fault, FaultSetting } from './fault.ts';
import { MINION_STATE } from './gates.ts';

/** Commands that say far more than anybody reads, in one line or in bytes that are no text. */
export const muchOutput: Fault = {
  name: 'commands print 10 GB, a line of 1 GB, and bytes that are no text',
  rounds: null,
  usualMinutes: 4,
  isFast: false,
  run: printMuch,
};

const TREE = '/root/much';
/** All that the run may take for itself beyond its code, in bytes. */
const MEMORY = 800_000_000;
/** 10 GB take a busy machine their time; a run that hangs is seen. */
const LIMIT_MS = 900_000;
const COMMANDS = {
  '10 GB': 'head -c 10G /dev/zero',
  'one line': "head -c 1G /dev/zero | tr '\\\\0' x",
  'no text': "printf 'a\\\\000b\\\\377\\\\376c\\\\n'; printf 'told\\\\377' >&2",
} as const;

async function printMuch({ site: { appserver }, log }: FaultSetting): Promise<string[]> {
  const lost: string[] = [];
  await appserver.write(`${TREE}/states/top.yaml`, 'base:\n  "*": [much]\n');
  for (const [name, command] of Object.entries(COMMANDS)) {
    for (const end of ['true', 'false']) {
      log(`${name}, then ${end}`);
      const state = `said:\n  cmd.run: {name: "${command}; ${end}", always: true}\n`;
      await appserver.write(`${TREE}/states/much.yaml`, state);
      const limited = ['prlimit', `--data=${MEMORY}`, 'minion', 'apply', '--tree', TREE] as const;
      const { exitCode, output } = await attempt(appserver, limited, { timeoutMs: LIMIT_MS });
      const right = end === 'true' ? 0 : 2;
      if (exitCode !== right)
        lost.push(`${name}, then ${end}: it exits with ${exitCode}: ${output.slice(0, 300)}`);
      if (output.length > 4_000_000) lost.push(`${name}: ${output.length} characters are printed`);
    }
  }
  const largest = await sh(appserver, `find ${MINION_STATE} -size +8M`);
  return largest === '' ? lost : [...lost, `these files are large: ${largest}`];
}
