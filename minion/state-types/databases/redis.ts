import { posix } from 'node:path';
import { ConductorError } from '../../../shared/errors.ts';
import type { Host, HostView } from '../../host/host.ts';
import { defineState } from '../../engine/state-type.ts';
import { followLinks } from '../lib/ownership.ts';
import { parentsOf } from '../lib/resources.ts';
import { said } from '../lib/said.ts';
import { refuseOpen } from '../lib/secrecy.ts';
import { replaceConfiguration } from '../lib/staged.ts';
import { redisSchema } from './redis-schema.ts';
import type { Args } from './redis-schema.ts';
import { quoted, valuesOf, withSettings } from './lib/redis-file.ts';
import type { Settings } from './lib/redis-file.ts';

/** The declared directives with all their lines, and whether redis runs on the file as it is. */
type State = { [directive: string]: readonly string[] | string | boolean | null };

const PENDING = 'pending';
const PACKAGES = ['package:redis-server', 'package:redis'];
const START_MS = 20_000;
const POLL_MS = 200;

export const redisConfig = defineState<Args, State>({
  name: 'redis.config',
  schema: redisSchema,
  example: `redis keeps little:
  redis.config:
    name: /etc/redis/redis.conf
    settings:
      maxmemory: 100mb
      maxmemory-policy: allkeys-lru
      save: ["900 1", "300 10"]
      appendonly: false
`,
  provides: () => ['redis-config'],
  needs: ({ name, service }) => [
    ...PACKAGES,
    `path:${name}`,
    ...parentsOf(name),
    ...(service === 'redis-server' ? [] : [`service:${service}`]),
  ],
  read,
  writes: ({ name }) => [name],
  want,
  async refuses(_change, args, host) {
    await check(args.name, (await changed(args, host)).text, host);
  },
  async apply(_change, args, host) {
    await replace(args, host);
  },
  answers: () => true,
  async react(args, host) {
    await take(args, host);
    return `restarted ${args.service}`;
  },
});

async function want(args: Args, host: HostView): Promise<Partial<State>> {
  const { name, settings, requirepass, masterauth, restart } = args;
  const secrets = said({ requirepass, masterauth });
  if (Object.keys(secrets).length > 0)
    refuseOpen(name, await host.status(await followLinks(name, host)));
  return { ...settings, ...secrets, ...(restart ? { loaded: true } : {}) };
}

async function read(args: Args, host: HostView): Promise<State> {
  const { name, settings, requirepass, masterauth } = args;
  const text = Buffer.from((await fileOf(args, host)).content).toString();
  const declared = Object.keys(settings).map((one) => [one, valuesOf(text, one)] as const);
  return {
    ...Object.fromEntries(declared),
    requirepass: secretIn(text, 'requirepass', requirepass),
    masterauth: secretIn(text, 'masterauth', masterauth),
    loaded: (await host.recall(markOf(name))) !== PENDING,
  };
}

/** The declared password itself if the file has it, however it is quoted there; `null` if there is none. */
function secretIn(text: string, directive: string, declared?: string): string | null {
  const [kept, ...more] = valuesOf(text, directive);
  if (kept === undefined) return null;
  const isSame = declared !== undefined && more.length === 0;
  if (isSame && (kept === quoted(declared) || kept === `"${declared}"`)) return declared;
  return kept;
}

async function fileOf({ name }: Args, host: HostView) {
  const content = await host.readFile(name);
  const status = await host.status(name);
  if (content !== null && status !== null) return { content, status };
  const message = `Cannot configure redis: there is no file "${name}"`;
  throw new ConductorError('STATE_REFUSED', message, { lacks: [...PACKAGES, `path:${name}`] });
}

/** The file as it should be, and how it stands there. */
async function changed(args: Args, host: HostView) {
  const { content, status } = await fileOf(args, host);
  return { text: withSettings(Buffer.from(content).toString(), settingsOf(args)), status };
}

async function replace(args: Args, host: Host): Promise<void> {
  const { name, restart } = args;
  const { text, status } = await changed(args, host);
  const { mode, user, group } = status;
  await replaceConfiguration(host, {
    what: `redis by "${name}"`,
    directory: posix.dirname(name),
    pieces: new Map([[name, { kind: 'file', content: text, mode, user, group }]]),
    check: null,
    take: () => (restart ? take(args, host) : Promise.resolve()),
    takeBack: () => (restart ? take(args, host) : Promise.resolve()),
    mark: markOf(name),
    taken: null,
    pending: PENDING,
  });
}

function settingsOf({ settings, requirepass, masterauth }: Args): Settings {
  const all = new Map<string, readonly string[]>(Object.entries(settings));
  if (requirepass !== undefined) all.set('requirepass', [quoted(requirepass)]);
  if (masterauth !== undefined) all.set('masterauth', [quoted(masterauth)]);
  return all;
}

function markOf(name: string): string {
  return `redis.config:${name}`;
}

/** No directive of redis. It reads its configuration up to this, complains about it, and starts nothing. */
const STOP = 'conductor-stops-here';

async function check(name: string, text: string, host: HostView): Promise<void> {
  const argv = ['redis-server', '-', `--${STOP}`, 'yes'] as const;
  const { stdout, stderr, exitCode } = await host.query(argv, { input: text });
  if (exitCode === 127)
    throw new ConductorError('STATE_REFUSED', 'Cannot configure redis: it is not installed', {
      lacks: PACKAGES,
    });
  const said = `${stdout}\n${stderr}`;
  const [, directive = '', complaint = ''] = />>> '(.*)'\n(.*)/u.exec(said) ?? [];
  if (directive.startsWith(STOP)) return;
  const words = `${directive.split(' ', 1).join('')}: ${complaint}`;
  throw new ConductorError(
    'CHECK_FAILED',
    `Cannot configure redis by "${name}": redis refuses it, so the old configuration stays: ${words}`,
  );
}

/** Restarts a redis that runs, or that has failed, and waits until it answers. */
async function take({ service }: Args, host: Host): Promise<void> {
  const { stdout } = await host.query([
    'systemctl',
    'show',
    '--property=ActiveState',
    '--',
    service,
  ]);
  const state = stdout.trim().replace('ActiveState=', '');
  if (state === 'inactive' || state === '') return;
  await host.run(['systemctl', 'reset-failed', '--', service]);
  await host.run(['systemctl', 'restart', '--', service]);
  for (let waited = 0; waited < START_MS; waited += POLL_MS) {
    const { exitCode } = await host.query(['systemctl', 'is-active', '--quiet', '--', service]);
    if (exitCode === 0) return;
    await host.sleep(POLL_MS);
  }
  throw new ConductorError('CHECK_FAILED', `redis did not come up as ${service}`);
}
