import type { Fault, Task } from './fault.ts';

export interface Plan {
  /** How often everything is done, each time with other moments. */
  readonly times: number;
  /** Of the first time. */
  readonly seed: number;
  /** How often what is done at random moments is done; `null`: as often as it wants itself. */
  readonly rounds: number | null;
}

/** All that is to be done, in order. A fault that is divided is there in parts, each with a seed of its own. */
export function tasksOf(faults: readonly Fault[], { times, seed, rounds }: Plan): Task[] {
  return Array.from({ length: times }, (_, time) =>
    faults.flatMap((fault) => {
      const parts = fault.parts ?? 1;
      const all = fault.rounds === null ? 1 : (rounds ?? fault.rounds);
      return Array.from({ length: parts }, (__, part) => ({
        fault,
        name: parts === 1 ? fault.name : `${fault.name} (${part + 1} of ${parts})`,
        rounds: Math.ceil(all / parts),
        seed: seed + time * SEEDS_A_TIME + part,
      }));
    }),
  ).flat();
}

const SEEDS_A_TIME = 100;

/**
 * Those that need the machine for themselves one after the other, then the others in so many lanes at once, those that
 * take long first, and never two that keep a processor busy. What came of them is in the order in which they were given.
 */
export async function inLanes<Result>(
  tasks: readonly Task[],
  lanes: number,
  carryOut: (task: Task, lane: number) => Promise<Result>,
): Promise<Result[]> {
  const results = new Map<Task, Result>();
  for (const task of tasksWith(tasks, 'alone')) results.set(task, await carryOut(task, 1));
  const [long, others] = [tasksWith(tasks, 'long'), tasksWith(tasks, undefined, 'busy')];
  const left = [...long, ...others];
  const busy = new Set<Task>();

  async function work(lane: number): Promise<void> {
    // A lane that finds nothing has ended: the one that is busy goes on with what is left.
    for (let task = take(); task !== undefined; task = take()) {
      if (task.fault.load === 'busy') busy.add(task);
      results.set(task, await carryOut(task, lane));
      busy.delete(task);
    }
  }

  function take(): Task | undefined {
    const index = left.findIndex(({ fault }) => fault.load !== 'busy' || busy.size === 0);
    return index === -1 ? undefined : left.splice(index, 1)[0];
  }

  await Promise.all(Array.from({ length: lanes }, (_, index) => work(index + 1)));
  return tasks.flatMap((task) => {
    const result = results.get(task);
    return result === undefined ? [] : [result];
  });
}

function tasksWith(tasks: readonly Task[], ...loads: readonly Fault['load'][]): Task[] {
  return tasks.filter(({ fault }) => loads.includes(fault.load));
}
