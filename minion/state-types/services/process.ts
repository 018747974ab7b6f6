import { constants } from 'node:os';
import { z } from 'zod';
import type { Change } from '../../../shared/change.ts';
import { ConductorError } from '../../../shared/errors.ts';
import { defineState } from '../../engine/state-type.ts';
import type { Argv, Host, HostView } from '../../host/host.ts';
import { failed } from '../lib/ask.ts';
import { EXPOSED, accountReference, seconds, singleLine } from '../lib/fields.ts';

/** The processes that run: their numbers and command lines. */
type Processes = { processes: readonly string[] };

const SIGNAL_NAMES = Object.keys(constants.signals).map((name) => name.replace(/^SIG/u, ''));
const LOOK_EVERY_MS = 100;

const schema = z
  .strictObject({
    name: singleLine
      .min(1)
      .describe(
        'A pattern (extended regular expression) that the whole command line matches somewhere',
      )
      .meta(EXPOSED),
    user: accountReference.exactOptional().describe('Only processes of this account'),
    signal: z
      .union([z.int().min(1).max(64), z.string()])
      .transform((given) => String(given).toUpperCase().replace(/^SIG/u, ''))
      .refine((signal) => /^\d+$/u.test(signal) || SIGNAL_NAMES.includes(signal), {
        error: 'expected a signal such as TERM, KILL or 9',
      })
      .default('TERM')
      .describe('How they are told to end'),
    timeout: seconds.default(10).describe('Seconds in which they must have ended'),
  })
  .describe(
    'No process whose command line matches a pattern runs. Those that do are sent a signal; if they have not ended in time, that ' +
      'is a failure. The minion itself and what has started it do not count.',
  );

type Args = z.infer<typeof schema>;

async function read(args: Args, host: HostView): Promise<Processes | null> {
  const processes = await running(args, host);
  return processes.length === 0 ? null : { processes };
}

/** `812 /usr/bin/sleep 100`, by number. */
async function running({ name, user }: Args, host: HostView): Promise<readonly string[]> {
  const whose = user === undefined ? [] : ['--euid', user];
  const argv: Argv = ['pgrep', '--full', '--list-full', ...whose, '--', name];
  const answer = await host.query(argv);
  if (answer.exitCode > 1 && !isUnknownUser(answer.stderr))
    throw failed(`look for processes "${name}"`, argv, answer);
  const lines = answer.stdout.split('\n').filter((line) => line !== '');
  refuseInit(name, lines);
  const own = await ownLine(host);
  return lines
    .filter((line) => !own.has(pidOf(line)))
    .toSorted((one, other) => Number(pidOf(one)) - Number(pidOf(other)));
}

/** Who means a program of theirs does not mean what all others stand on: such a pattern is a slip. */
function refuseInit(name: string, lines: readonly string[]): void {
  const init = lines.find((line) => pidOf(line) === '1');
  if (init === undefined) return;
  throw new ConductorError(
    'STATE_REFUSED',
    `Cannot end the processes "${name}": the pattern also fits process 1, "${init.slice(2, 80)}" (make it narrower)`,
    { lacks: [] },
  );
}

/** An account that is not there has no processes. */
function isUnknownUser(said: string): boolean {
  return /invalid user/u.test(said);
}

function pidOf(line: string): string {
  return line.split(' ', 1)[0] ?? '';
}

/** This process and all that have started one another up to it. */
async function ownLine(host: HostView): Promise<ReadonlySet<string>> {
  const line = new Set<string>();
  for (let pid = String(process.pid); pid !== '0' && !line.has(pid);) {
    line.add(pid);
    const status = await host.readFile(`/proc/${pid}/status`);
    const text = status === null ? '' : Buffer.from(status).toString();
    pid = /^PPid:\s*(\d+)$/mu.exec(text)?.[1] ?? '0';
  }
  return line;
}

async function end(_change: Change<Processes>, args: Args, host: Host): Promise<void> {
  const lines = await running(args, host);
  if (lines.length === 0) return;
  await send(args.signal, lines.map(pidOf), host);
  const left = await untilGone(args, lines, host);
  if (left.length === 0) return;
  throw new ConductorError(
    'COMMAND_TIMEOUT',
    `Cannot end the processes "${args.name}": ${left.length} of them run on ${args.timeout} s after ${args.signal}: ${left[0] ?? ''}`,
  );
}

/** One that has ended by itself in the meantime is no failure. */
async function send(signal: string, pids: readonly string[], host: Host): Promise<void> {
  try {
    await host.run(['/bin/kill', '-s', signal, '--', ...pids]);
  } catch (error) {
    const output = error instanceof ConductorError ? error.details['output'] : null;
    if (typeof output !== 'string' || !/No such process/u.test(output)) throw error;
  }
}

async function untilGone(
  args: Args,
  lines: readonly string[],
  host: Host,
): Promise<readonly string[]> {
  const finish = performance.now() + args.timeout * 1000;
  for (;;) {
    const now = await running(args, host);
    const left = now.filter((line) => lines.includes(line));
    if (left.length === 0 || performance.now() >= finish) return left;
    await host.sleep(LOOK_EVERY_MS);
  }
}

export const processAbsent = defineState<Args, Processes>({
  name: 'process.absent',
  schema,
  example: `no development server:
  process.absent:
    name: manage.py runserver
    user: deploy
`,
  read,
  want: () => null,
  apply: end,
});
