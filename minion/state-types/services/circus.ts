import { createHash } from 'node:crypto';
import { posix } from 'node:path';
import { z } from 'zod';
import type { Change } from '../../../shared/change.ts';
import type { Host, HostView } from '../../host/host.ts';
import { defineState } from '../../engine/state-type.ts';
import { contentOf, mustRun } from './circus-content.ts';
import { circusFields, watcherSchema } from './circus-schema.ts';
import type { WatcherArgs } from './circus-schema.ts';
import {
  checkCommand,
  reloadConfig,
  requireAnswer,
  running,
  tell,
  watchers,
} from './lib/circus.ts';
import { needProcess, processFields } from './lib/process-fields.ts';
import { ownersOf, parentsOf } from '../lib/resources.ts';
import { settle } from './lib/settle.ts';
import { hasTaken, refuseConfiguration, replaceConfiguration } from '../lib/staged.ts';
import type { Replacement } from '../lib/staged.ts';
import { fileSettled } from '../lib/settled.ts';

type Watcher = {
  content: string | null;
  /** At least one of its processes runs. */
  active: boolean;
  /** Circus has taken what stands in the file. */
  loaded: boolean;
};

type Args = WatcherArgs;
type Named = Pick<Args, 'name' | 'circusctl' | 'config'>;

export const circusWatcher = defineState<Args, Watcher>({
  name: 'circus.watcher',
  schema: watcherSchema,
  reach: 'programs',
  example: `openknesset process:
  circus.watcher:
    name: openknesset
    cmd: /srv/environments/openknesset/bin/gunicorn
    args: [--bind, "127.0.0.1:{{port 'openknesset'}}", openknesset.wsgi]
    uid: openknesset
    working_dir: /srv/projects/openknesset/code
    stderr_stream: {filename: /srv/logs/openknesset.log}
`,
  textAttribute: 'content',
  provides: (args) => [`path:${fileOf(args)}`],
  writes: (args) => [fileOf(args)],
  settles: (args) => fileSettled(fileOf(args), contentOf(args)),
  needs: (args) => [
    ...needsOf(args),
    ...(args.working_dir === undefined
      ? []
      : [`path:${args.working_dir}`, ...parentsOf(args.working_dir)]),
    ...[args.stdout_stream, args.stderr_stream].flatMap((stream) =>
      stream === undefined ? [] : parentsOf(stream.filename),
    ),
    ...ownersOf(args.uid === undefined ? {} : { user: args.uid }),
  ],
  read,
  want: (args) => ({
    content: contentOf(args),
    loaded: true,
    ...(mustRun(args) ? { active: true } : {}),
  }),
  async refuses(change, args, host) {
    await requireAnswer(host, args);
    if (mustRun(args)) await needProcess(args, host);
    if (isStopped(change)) return;
    await refuseConfiguration(
      { ...changeOf(args, contentOf(args)), check: checkCommand(args) },
      host,
    );
  },
  async apply(change, args, host) {
    if (isStopped(change)) return restart(args, host);
    const content = contentOf(args);
    const ran = change.action === 'update' && change.from.active;
    await replaceConfiguration(host, {
      ...replacement(args, content),
      async take() {
        await reloadConfig(host, args);
        await probe(args, host);
      },
      async takeBack({ wasThere }) {
        await reloadConfig(host, args);
        if (wasThere && ran) await probe(asBefore(args), host);
      },
    });
  },
  // What did not run and now does has been started on all that it watches.
  answers: (change) => change.action !== 'remove' && change.to.active === true,
  async bringBack(args, host) {
    if (mustRun(args)) await restart(asBefore(args), host);
  },
  async react(args, host) {
    if (!mustRun(args)) return 'left alone: it is not started by circus itself';
    const verb = args.reload ? 'reload' : 'restart';
    await tell(host, args, [verb, args.name, '--waiting']);
    await probe(args, host);
    return `${verb}ed the watcher ${args.name}`;
  },
});

export const circusWatcherAbsent = defineState<Named, Watcher>({
  name: 'circus.watcher_absent',
  schema: z
    .strictObject({ name: processFields.name, ...circusFields })
    .describe('No process of that name in circus: it is ended, and its configuration is deleted.'),
  example: `old process:
  circus.watcher_absent:
    name: legacy
`,
  textAttribute: 'content',
  needs: needsOf,
  read,
  want: () => null,
  async refuses(_change, args, host) {
    await requireAnswer(host, args);
    await refuseConfiguration({ ...changeOf(args, null), check: checkCommand(args) }, host);
  },
  async apply(_change, args, host) {
    const take = (): Promise<void> => reloadConfig(host, args);
    await replaceConfiguration(host, { ...replacement(args, null), take, takeBack: take });
  },
});

async function read(args: Named, host: HostView): Promise<Watcher | null> {
  const bytes = await host.readFile(fileOf(args));
  const pids = (await watchers(host, args))?.get(args.name.toLowerCase());
  if (bytes === null && pids === undefined) return null;
  const content = bytes === null ? null : Buffer.from(bytes).toString();
  const loaded = content !== null && (await hasTaken(host, markOf(args), digest(content)));
  return { content, active: pids !== undefined && pids.length > 0, loaded };
}

/** All is as it should be but for what runs. */
function isStopped(change: Change<Watcher>): boolean {
  return change.action === 'update' && Object.keys(change.to).join() === 'active';
}

function changeOf(
  args: Named,
  content: string | null,
): Pick<Replacement, 'what' | 'directory' | 'pieces'> {
  const piece = content === null ? null : ({ kind: 'file', content, mode: '0640' } as const);
  return {
    what: `the watcher "${args.name}"`,
    directory: posix.dirname(args.config),
    pieces: new Map([[fileOf(args), piece]]),
  };
}

/** All of a change but what circus is told about it. */
function replacement(args: Named, content: string | null): Omit<Replacement, 'take' | 'takeBack'> {
  return {
    ...changeOf(args, content),
    check: null,
    mark: markOf(args),
    taken: content === null ? null : digest(content),
  };
}

/** How many of its processes ran before, nobody has told. */
function asBefore(args: Args): Args {
  return { ...args, numprocesses: 1, init_delay: 1 };
}

async function restart(args: Args, host: Host): Promise<void> {
  await tell(host, args, ['restart', args.name, '--waiting']);
  await probe(args, host);
}

async function probe(args: Args, host: Host): Promise<void> {
  if (!mustRun(args)) return;
  const { name, numprocesses, init_delay, stderr_stream } = args;
  await settle(host, {
    what: `the watcher "${name}"`,
    processes: numprocesses,
    initDelay: init_delay,
    ...(stderr_stream === undefined ? {} : { log: stderr_stream.filename }),
    look: () => running(host, args, name),
  });
}

function needsOf(args: Named): string[] {
  const environment = posix.dirname(posix.dirname(args.circusctl));
  return [
    'circus',
    'service:circusd',
    `virtualenv:${environment}`,
    `path:${args.config}`,
    ...parentsOf(fileOf(args)),
  ];
}

function fileOf({ name, config }: Named): string {
  return posix.join(posix.dirname(config), 'conf.d', `${name}.ini`);
}

function markOf({ name, config }: Named): string {
  return `circus.watcher:${config}:${name}`;
}

function digest(content: string): string {
  return createHash('sha256').update(content).digest('hex');
}
