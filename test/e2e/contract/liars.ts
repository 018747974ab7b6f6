import { z } from 'zod';
import type { Change } from '../../../shared/change.ts';
import { ConductorError } from '../../../shared/errors.ts';
import { defineState } from '../../../minion/engine/state-type.ts';
import type { StateType } from '../../../minion/engine/state-type.ts';
import type { Host, HostView } from '../../../minion/host/host.ts';

/**
 * One honest state type and those that lie, each about one clause: what the contract is held to, to see that it can
 * fail. All keep a text in a file below `/srv/lies`.
 */

type Note = { text: string };
interface Args {
  readonly name: string;
  readonly text: string;
  readonly password: string;
}

const fields = {
  name: z.string().describe('The name of the file'),
  text: z.string().describe('What stands in it'),
  password: z.string().default('').meta({ secret: true }).describe('Nobody may see it'),
};
const strict = z.strictObject(fields).describe('A file with a text in it, for tests.');
const schema: z.ZodType<Args> = strict;

const DIRECTORY = '/srv/lies';
const pathOf = ({ name }: Pick<Args, 'name'>): string => `${DIRECTORY}/${name}`;

async function read(args: Args, host: HostView): Promise<Note | null> {
  const bytes = await host.readFile(pathOf(args));
  return bytes === null ? null : { text: Buffer.from(bytes).toString() };
}

async function apply(change: Change<Note>, args: Args, host: Host): Promise<void> {
  if (change.action === 'remove') return host.remove(pathOf(args));
  await host.run(['mkdir', '--parents', '--', DIRECTORY]);
  await host.writeFile(pathOf(args), args.text);
}

const honest = {
  name: 'honest.note' as `${string}.${string}`,
  schema,
  example: '',
  read,
  want: ({ text }: Args): Partial<Note> | null => ({ text }),
  apply,
};

type Honest = typeof honest;
/** Effects of those who do not keep to the host that they are given. */
type Reach = (host: HostView) => Promise<unknown>;
const reaching = (path: string): Reach => {
  return (host) => host.query(['/bin/sh', '-c', 'mkdir -p /srv/lies && echo x >>"$0"', path]);
};

function lie(name: `${string}.${string}`, different: Partial<Honest>): StateType {
  return defineState({ ...honest, ...different, name });
}

/** Answers differently the first time that a process asks. */
function fickle(): Honest['want'] {
  let count = 0;
  return ({ text }) => {
    count += 1;
    return { text: count === 1 ? 'something else' : text };
  };
}

export const liars: ReadonlyMap<string, StateType> = new Map(
  [
    lie('honest.note', {}),
    lie('honest.absent', { want: () => null }),
    lie('writes_in.dry_run', {
      async read(args, host) {
        await reaching('/srv/lies-seen')(host);
        return read(args, host);
      },
    }),
    lie('writes_for.a_moment', {
      async read(args, host) {
        await host.query(['/bin/sh', '-c', 'echo x >/run/lies-seen && rm /run/lies-seen']);
        return read(args, host);
      },
    }),
    lie('foresees.wrongly', { want: fickle() }),
    lie('never.converges', { apply: async () => undefined }),
    lie('says_it.converges', {
      async read(args, host) {
        return (await host.recall(args.name)) === null ? null : { text: args.text };
      },
      apply: async (_change, args, host) => host.remember(args.name, 'done'),
    }),
    lie('writes.always', {
      async read(args, host) {
        const have = await read(args, host);
        if (have !== null) await reaching('/srv/lies-seen')(host);
        return have;
      },
    }),
    defineState({ ...honest, name: 'changes.always', oneShot: true, read: async () => null }),
    lie('sees.nothing', {
      async read(args, host) {
        return (await read(args, host)) === null ? null : { text: args.text };
      },
    }),
    lie('reads.otherwise', {
      schema: strict.transform((args) => ({ ...args, text: `${args.text}!` })),
    }),
    lie('stumbles.over_itself', {
      async apply(change, args, host) {
        const lock = `${DIRECTORY}.lock`;
        if ((await host.status(lock)) !== null)
          throw new ConductorError('STATE_REFUSED', 'Cannot write: a lock stands there');
        await host.writeFile(lock, '');
        await apply(change, args, host);
        await host.remove(lock);
      },
    }),
    lie('takes.anything', { schema: z.looseObject(fields).describe('It takes anything.') }),
    lie('leaks_to.argv', {
      async apply(change, args, host) {
        await apply(change, args, host);
        await host.run(['/bin/true', args.password]);
      },
    }),
    lie('leaks_to.environment', {
      async apply(change, args, host) {
        await apply(change, args, host);
        await host.run(['/bin/true'], { env: { PASSWORD: args.password } });
      },
    }),
    lie('leaks_to.file', {
      async apply(change, args, host) {
        await apply(change, args, host);
        await host.writeFile('/srv/lies-password', args.password);
      },
    }),
    lie('leaks_to.report', {
      want: ({ text }) => ({ text }),
      async apply(change, args, host) {
        await apply(change, args, host);
        if (change.action === 'create') process.stderr.write(`the password is ${args.password}\n`);
      },
    }),
    lie('refuses.late', {
      async apply() {
        throw new ConductorError('STATE_REFUSED', 'Cannot write: it does not want to');
      },
    }),
    lie('fails.half_way', {
      async apply(change, args, host) {
        await apply(change, args, host);
        throw new ConductorError('STATE_REFUSED', 'Cannot write: it does not want to');
      },
    }),
  ].map((type) => [type.name, type]),
);
