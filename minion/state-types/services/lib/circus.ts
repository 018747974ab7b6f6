import { posix } from 'node:path';
import { z } from 'zod';
import { ConductorError } from '../../../../shared/errors.ts';
import type { Argv, Host, HostView, Output } from '../../../host/host.ts';
import { failed } from '../../lib/ask.ts';
import type { Running } from './settle.ts';

const LOOK_SECONDS = 5;
const ACT_SECONDS = 120;
const DEFAULT_ENDPOINT = 'tcp://127.0.0.1:5555';

/** Which circus: its programs and its configuration. */
export interface Circus {
  readonly circusctl: string;
  readonly config: string;
}

/** Of a process that has ended and is not yet cleared away there is only a sentence. */
const oneProcess = z.union([z.object({ pid: z.int() }), z.string().transform(() => null)]);
const statistics = z.object({
  infos: z.record(z.string(), z.record(z.string(), oneProcess)),
});

/** The processes of every watcher, by its name in lower case; `null` if circus does not answer. */
export function watchers(
  host: HostView,
  circus: Circus,
): Promise<ReadonlyMap<string, readonly number[]> | null> {
  return host.shared(topicOf(circus), async () => watchersNow(host, circus));
}

async function watchersNow(
  host: HostView,
  circus: Circus,
): Promise<ReadonlyMap<string, readonly number[]> | null> {
  const output = await host.query(await control(host, circus, LOOK_SECONDS, ['--json', 'stats']));
  if (output.exitCode !== 0) return null;
  const { infos } = statistics.parse(JSON.parse(output.stdout));
  const entries = Object.entries(infos).map(([name, processes]) => {
    const pids = Object.values(processes).flatMap((one) => (one === null ? [] : [one.pid]));
    return [name.toLowerCase(), pids] as const;
  });
  return new Map(entries);
}

/** What runs of one watcher now. */
export async function running(
  host: HostView & Pick<Host, 'changed'>,
  circus: Circus,
  name: string,
): Promise<Running> {
  host.changed(topicOf(circus));
  const all = await watchers(host, circus);
  if (all === null) throw notAnswering(circus);
  const pids = all.get(name.toLowerCase());
  return { pids: pids ?? [], given_up: pids === undefined ? 'circus does not know it' : null };
}

/** Makes circus read its configuration and do what changed in it. */
export async function reloadConfig(host: Host, circus: Circus): Promise<void> {
  await tell(host, circus, ['reloadconfig', '--waiting']);
}

/** Tells circus something and waits until it is done. */
export async function tell(host: Host, circus: Circus, words: readonly string[]): Promise<void> {
  const argv = await control(host, circus, ACT_SECONDS, words);
  const output = await host.run(argv, { timeoutMs: (ACT_SECONDS + 10) * 1000 });
  host.changed(topicOf(circus));
  if (isRefusal(output)) throw failed(`make circus ${words[0]}`, argv, output);
}

/** circusctl exits with 0 even if the answer is an error. */
function isRefusal({ stdout }: Output): boolean {
  return /^error\b/mu.test(stdout);
}

/** Whether circus answers; said before anything is changed. */
export async function requireAnswer(host: HostView, circus: Circus): Promise<void> {
  if ((await watchersNow(host, circus)) === null) throw notAnswering(circus);
}

/** Reads the whole configuration as circusd would. */
export function checkCommand({ circusctl, config }: Circus): Argv {
  const python = posix.join(posix.dirname(circusctl), 'python');
  return [python, '-B', '-c', CHECK, config];
}

/** Accounts and working directories are looked at by circusd only when it is too late to refuse. */
const CHECK = `
import os, sys
from circus.config import get_config
from circus.util import to_gid, to_uid
from circus.watcher import Watcher
try:
    for options in get_config(sys.argv[1])["watchers"]:
        if options.get("uid"):
            to_uid(options["uid"])
        if options.get("gid"):
            to_gid(options["gid"])
        where = options.get("working_dir")
        if where and not os.path.isdir(where):
            raise ValueError("watcher %s: there is no directory %s" % (options["name"], where))
        if not options.get("cmd"):
            raise ValueError("watcher %s has no cmd" % options["name"])
except Exception as error:
    sys.exit("%s: %s" % (type(error).__name__, error))
`;

async function control(
  host: HostView,
  { circusctl, config }: Circus,
  timeout: number,
  words: readonly string[],
): Promise<Argv> {
  const endpoint = parseEndpoint(await host.readFile(config));
  return [circusctl, '--timeout', String(timeout), '--endpoint', endpoint, ...words];
}

/** Where the configuration says that circus listens. */
export function parseEndpoint(config: Uint8Array | null): string {
  const text = config === null ? '' : Buffer.from(config).toString();
  const match = /^endpoint\s*[=:]\s*(\S+)/mu.exec(text);
  return match?.[1] ?? DEFAULT_ENDPOINT;
}

function topicOf({ config }: Circus): string {
  return `circus:${config}`;
}

function notAnswering({ circusctl, config }: Circus): ConductorError {
  return new ConductorError(
    'STATE_REFUSED',
    `Cannot reach circus: no circusd answers at the endpoint of "${config}"`,
    { lacks: ['circus', 'service:circusd', `path:${config}`, `path:${circusctl}`] },
  );
}
