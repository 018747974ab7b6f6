import type { Argv, Host, HostView } from '../../../host/host.ts';
import { failed } from '../../lib/ask.ts';
import type { Running } from './settle.ts';

/** One line of `supervisorctl status`. */
export interface Program {
  readonly group: string;
  readonly state: string;
  readonly pid: number | null;
  readonly words: string;
}

const TOPIC = 'supervisor';
const GIVEN_UP = new Set(['FATAL', 'EXITED', 'UNKNOWN']);
const START_TIMEOUT_MS = 5000;
const POLL_MS = 250;
const ACT_TIMEOUT_MS = 180_000;

/** All programs; `null` if supervisord does not answer. */
export function programs(host: HostView): Promise<readonly Program[] | null> {
  return host.shared(TOPIC, async () => programsNow(host));
}

export async function programsNow(host: HostView): Promise<readonly Program[] | null> {
  const output = await host.query(['supervisorctl', 'status']);
  const found = parseStatus(output.stdout);
  const answers = output.exitCode === 0 || found.length > 0 || output.exitCode === 3;
  return answers ? found : null;
}

/** Whether supervisord answers; one that has just been started is waited for briefly. */
export async function answersSoon(host: HostView): Promise<boolean> {
  for (let waited = 0; waited < START_TIMEOUT_MS; waited += POLL_MS) {
    if ((await programsNow(host)) !== null) return true;
    if (!(await isStarted(host))) return false;
    await host.sleep(POLL_MS);
  }
  return false;
}

async function isStarted(host: HostView): Promise<boolean> {
  const { exitCode } = await host.query(['systemctl', 'is-active', '--quiet', 'supervisor']);
  return exitCode === 0;
}

/** `shop:shop_0   RUNNING   pid 812, uptime 0:00:04` */
export function parseStatus(text: string): Program[] {
  return text.split('\n').flatMap((line) => {
    const match = /^(?<name>\S+)\s+(?<state>[A-Z]{5,})\b\s*(?<words>.*)$/u.exec(line);
    const { name, state, words = '' } = match?.groups ?? {};
    if (name === undefined || state === undefined) return [];
    const pid = /^pid (\d+)/u.exec(words)?.[1];
    const [group = name] = name.split(':');
    return [{ group, state, pid: pid === undefined ? null : Number(pid), words }];
  });
}

/** What runs of one program now. */
export async function running(host: Host, name: string): Promise<Running> {
  host.changed(TOPIC);
  const own = ((await programs(host)) ?? []).filter(({ group }) => group === name);
  const lost = own.find(({ state }) => GIVEN_UP.has(state));
  const up = own.filter(({ state }) => state === 'RUNNING');
  const why = lost === undefined ? null : `${lost.state} ${lost.words}`.trim();
  return {
    pids: up.flatMap(({ pid }) => (pid === null ? [] : [pid])),
    given_up: own.length === 0 ? 'supervisor does not know it' : why,
  };
}

/** Makes supervisor read its configuration and do what changed in it about one program. */
export async function update(host: Host, name: string): Promise<void> {
  await tell(host, ['update', name]);
}

export async function tell(host: Host, words: readonly string[]): Promise<void> {
  const argv: Argv = ['supervisorctl', ...words];
  const output = await host.run(argv, { timeoutMs: ACT_TIMEOUT_MS });
  host.changed(TOPIC);
  if (/\bERROR\b/u.test(output.stdout)) throw failed(`make supervisor ${words[0]}`, argv, output);
}

/** Reads the whole configuration as supervisord would. */
export const CHECK: Argv = [
  '/usr/bin/python3',
  '-B',
  '-c',
  `
import os, sys
from supervisor.options import ServerOptions
options = ServerOptions()
options.realize(["-c", "/etc/supervisor/supervisord.conf"])
for group in options.process_group_configs:
    for program in group.process_configs:
        where = program.directory
        if where and not os.path.isdir(where):
            sys.exit("program %s: there is no directory %s" % (program.name, where))
`,
];
