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
      const usual = fault.rounds ?? 1;
      const all = fault.rounds === null ? 1 : (rounds ?? usual);
      return Array.from({ length: parts }, (__, part) => ({
        fault,
        name: parts === 1 ? fault.name : `${fault.name} (${part + 1} of ${parts})`,
        rounds: Math.ceil(all / parts),
        minutes: (fault.usualMinutes * Math.min(1, all / usual)) / parts,
        seed: seed + time * SEEDS_A_TIME + part,
      }));
    }),
  ).flat();
}

const SEEDS_A_TIME = 100;

/** How many at once of those that keep a processor busy, and of those that mostly wait: none of these, and they take turns with the others. */
export interface Lanes {
  readonly busy: number;
  readonly idle: number;
}

/**
 * All of them, each as soon as there is a lane for it. What came of them is in the order in which they were given.
 * Whatever a task does, it has hosts of its own; the number of its lane is for the log.
 */
export async function inLanes<Result>(
  tasks: readonly Task[],
  lanes: Lanes,
  carryOut: (task: Task, lane: number) => Promise<Result>,
): Promise<Result[]> {
  const results = new Map<Task, Result>();
  const left = inOrder(tasks);
  const underWay = new Map<Task, Promise<void>>();
  const free = Array.from({ length: lanes.busy + lanes.idle }, (_, index) => index + 1);

  async function work(task: Task, lane: number): Promise<void> {
    results.set(task, await carryOut(task, lane));
    underWay.delete(task);
    free.unshift(lane);
  }

  while (left.length + underWay.size > 0) {
    for (const task of takeAll(left, [...underWay.keys()], lanes))
      underWay.set(task, work(task, free.shift() ?? 0));
    await Promise.race(underWay.values());
  }
  return tasks.flatMap((task) => {
    const result = results.get(task);
    return result === undefined ? [] : [result];
  });
}

/** How many minutes that takes if everything takes as long as usual. */
export function minutesIn(tasks: readonly Task[], lanes: Lanes): number {
  const left = inOrder(tasks);
  const ends = new Map<Task, number>();
  let now = 0;
  while (left.length + ends.size > 0) {
    for (const task of takeAll(left, [...ends.keys()], lanes)) ends.set(task, now + task.minutes);
    now = Math.min(...ends.values());
    for (const [task, end] of ends) if (end === now) ends.delete(task);
  }
  return now;
}

/** Those that take longest first; those that measure last, when nothing else boots hosts any more. */
function inOrder(tasks: readonly Task[]): Task[] {
  const [first, last] = [false, true].map((isLast) =>
    tasks.filter(({ fault }) => (fault.load === 'measures') === isLast),
  );
  return [first, last].flatMap((some = []) => some.toSorted((a, b) => b.minutes - a.minutes));
}

/** Takes out of `left` all that may begin beside what is under way. */
function takeAll(left: Task[], underWay: readonly Task[], lanes: Lanes): Task[] {
  const taken: Task[] = [];
  for (;;) {
    const index = left.findIndex((task) => mayBegin(task, [...underWay, ...taken], lanes));
    const [task] = index === -1 ? [] : left.splice(index, 1);
    if (task === undefined) return taken;
    taken.push(task);
  }
}

/** What measures has none beside it but those that wait already, and nothing begins until it has ended. */
function mayBegin(task: Task, underWay: readonly Task[], { busy, idle }: Lanes): boolean {
  const isIdle = ({ fault }: Task): boolean => fault.load === 'idle' && idle > 0;
  const others = underWay.filter((other) => isIdle(other) === isIdle(task)).length;
  if (underWay.some(({ fault }) => fault.load === 'measures')) return false;
  if (task.fault.load === 'measures') return others === 0;
  return others < (isIdle(task) ? idle : busy);
}
