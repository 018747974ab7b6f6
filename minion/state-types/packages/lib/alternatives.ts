import type { HostView } from '../../../host/host.ts';
import { failed } from '../../lib/ask.ts';

/** A group of alternatives. */
export interface Alternatives {
  readonly link: string;
  /** The one in use; `null` if none is. */
  readonly current: string | null;
  /** Somebody has chosen it, so that priorities do not count. */
  readonly isManual: boolean;
  /** The one with the highest priority. */
  readonly best: string | null;
  readonly priorities: ReadonlyMap<string, number>;
}

const NO_GROUP = 2;

/** How a group of alternatives is; `null` if there is none of that name. */
export async function readAlternatives(name: string, host: HostView): Promise<Alternatives | null> {
  const groups = await host.shared(
    'alternatives',
    async () => new Map<string, Alternatives | null>(),
  );
  const known = groups.get(name);
  if (known !== undefined) return known;
  const argv = ['update-alternatives', '--query', name] as const;
  const answer = await host.query(argv);
  if (answer.exitCode !== 0 && answer.exitCode !== NO_GROUP)
    throw failed(`look at the alternatives of "${name}"`, argv, answer);
  const group = answer.exitCode === 0 ? parseAlternatives(answer.stdout) : null;
  groups.set(name, group);
  return group;
}

/** The first paragraph is about the group, each other one about an alternative. */
export function parseAlternatives(text: string): Alternatives {
  const [group = '', ...choices] = text.split(/\n\n+/u);
  const priorities = choices.flatMap((choice): [string, number][] => {
    const path = valueOf('Alternative', choice);
    return path === null ? [] : [[path, Number(valueOf('Priority', choice))]];
  });
  return {
    link: valueOf('Link', group) ?? '',
    current: valueOf('Value', group),
    isManual: valueOf('Status', group) === 'manual',
    best: valueOf('Best', group),
    priorities: new Map(priorities),
  };
}

function valueOf(name: string, paragraph: string): string | null {
  const value = new RegExp(`^${name}: (.*)$`, 'mu').exec(paragraph)?.[1];
  return value === undefined || value === 'none' ? null : value;
}
