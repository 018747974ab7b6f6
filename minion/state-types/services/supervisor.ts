import { createHash } from 'node:crypto';
import { z } from 'zod';
import type { Change } from '../../../shared/change.ts';
import { ConductorError } from '../../../shared/errors.ts';
import type { Host, HostView } from '../../host/host.ts';
import { defineState } from '../../engine/state-type.ts';
import { contentOf, programSchema } from './supervisor-content.ts';
import type { ProgramArgs } from './supervisor-content.ts';
import { needProcess, processFields } from './lib/process-fields.ts';
import { ownersOf, parentsOf } from '../lib/resources.ts';
import { settle } from './lib/settle.ts';
import { hasTaken, refuseConfiguration, replaceConfiguration } from '../lib/staged.ts';
import type { Replacement } from '../lib/staged.ts';
import { fileSettled } from '../lib/settled.ts';
import {
  CHECK,
  answersSoon,
  programs,
  programsNow,
  running,
  tell,
  update,
} from './lib/supervisor.ts';

type Program = {
  content: string | null;
  /** All of its processes run. */
  active: boolean;
  /** Supervisor has taken what stands in the file. */
  loaded: boolean;
};
type Named = { name: string };

const DIRECTORY = '/etc/supervisor';

type Args = ProgramArgs;

export const supervisorProgram = defineState<Args, Program>({
  name: 'supervisor.program',
  schema: programSchema,
  reach: 'programs',
  example: `openknesset process:
  supervisor.program:
    name: openknesset
    cmd: /srv/environments/openknesset/bin/gunicorn
    args: [--bind, "127.0.0.1:{{port 'openknesset'}}", openknesset.wsgi]
    uid: openknesset
    working_dir: /srv/projects/openknesset/code
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
    await refuseConfiguration({ ...changeOf(args, contentOf(args)), check: CHECK }, host);
  },
  async apply(change, args, host) {
    if (isStopped(change)) return restart(args, host);
    const ran = change.action === 'update' && change.from.active;
    await replaceConfiguration(host, {
      ...replacement(args, contentOf(args)),
      async take() {
        await update(host, args.name);
        await probe(args, host);
      },
      async takeBack({ wasThere }) {
        await update(host, args.name);
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
    if (!mustRun(args)) return 'left alone: it is not started by supervisor itself';
    await restart(args, host);
    return `restarted the program ${args.name}`;
  },
});

export const supervisorProgramAbsent = defineState<Named, Program>({
  name: 'supervisor.program_absent',
  schema: z
    .strictObject({ name: processFields.name })
    .describe(
      'No process of that name in supervisor: it is ended, and its configuration is deleted.',
    ),
  example: `old process:
  supervisor.program_absent:
    name: legacy
`,
  textAttribute: 'content',
  needs: needsOf,
  read,
  want: () => null,
  async refuses(_change, args, host) {
    await requireAnswer(host, args);
    await refuseConfiguration({ ...changeOf(args, null), check: CHECK }, host);
  },
  async apply(_change, args, host) {
    await replaceConfiguration(host, {
      ...replacement(args, null),
      // A file that supervisor has never read has left no trace in it.
      take: async () => ((await isKnown(args, host)) ? update(host, args.name) : undefined),
      takeBack: () => update(host, args.name),
    });
  },
});

/** All is as it should be but for what runs. */
function isStopped(change: Change<Program>): boolean {
  return change.action === 'update' && Object.keys(change.to).join() === 'active';
}

async function isKnown({ name }: Named, host: HostView): Promise<boolean> {
  return ((await programsNow(host)) ?? []).some(({ group }) => group === name);
}

async function read(args: Named, host: HostView): Promise<Program | null> {
  const bytes = await host.readFile(fileOf(args));
  const own = ((await programs(host)) ?? []).filter(({ group }) => group === args.name);
  if (bytes === null && own.length === 0) return null;
  const content = bytes === null ? null : Buffer.from(bytes).toString();
  const loaded = content !== null && (await hasTaken(host, markOf(args), digest(content)));
  const active = own.length > 0 && own.every(({ state }) => state === 'RUNNING');
  return { content, active, loaded };
}

function changeOf(
  args: Named,
  content: string | null,
): Pick<Replacement, 'what' | 'directory' | 'pieces'> {
  const piece = content === null ? null : ({ kind: 'file', content, mode: '0640' } as const);
  return {
    what: `the program "${args.name}"`,
    directory: DIRECTORY,
    pieces: new Map([[fileOf(args), piece]]),
  };
}

/** All of a change but what supervisor is told about it. */
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
  await tell(host, ['restart', `${args.name}:*`]);
  await probe(args, host);
}

async function probe(args: Args, host: Host): Promise<void> {
  if (!mustRun(args)) return;
  const { name, numprocesses, init_delay, stderr_stream } = args;
  await settle(host, {
    what: `the program "${name}"`,
    processes: numprocesses,
    initDelay: init_delay,
    ...(stderr_stream === undefined ? {} : { log: stderr_stream.filename }),
    look: () => running(host, name),
  });
}

async function requireAnswer(host: HostView, { name }: Named): Promise<void> {
  if (await answersSoon(host)) return;
  throw new ConductorError(
    'STATE_REFUSED',
    `Cannot manage the program "${name}": no supervisord answers`,
    { lacks: ['package:supervisor', 'service:supervisor'] },
  );
}

function mustRun({ autostart, numprocesses }: Args): boolean {
  return autostart && numprocesses > 0;
}

function needsOf(args: Named): string[] {
  return ['package:supervisor', 'service:supervisor', ...parentsOf(fileOf(args))];
}

function fileOf({ name }: Named): string {
  return `${DIRECTORY}/conf.d/${name}.conf`;
}

function markOf({ name }: Named): string {
  return `supervisor.program:${name}`;
}

function digest(content: string): string {
  return createHash('sha256').update(content).digest('hex');
}
