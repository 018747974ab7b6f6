import type { StateType } from '../../../minion/engine/state-type.ts';
import { openFleet } from '../../hosts/hosts.ts';
import type { Fleet } from '../../hosts/hosts.ts';
import { messageOf } from '../../../shared/errors.ts';
import type { NamedCase } from './case.ts';
import type { Finding } from './finding.ts';
import { openLaboratory } from './laboratory.ts';
import type { Laboratory } from './laboratory.ts';
import { rowOf } from './matrix.ts';
import type { Row } from './matrix.ts';

/** Runs the contract for many types, dealt out between some hosts. */

export interface Contract {
  readonly types: ReadonlyMap<string, StateType>;
  readonly cases: readonly NamedCase[];
  /** What the driver on the hosts is made of: it holds the same types. */
  readonly entry: string;
  readonly hosts: number;
  readonly log: (line: string) => void;
}

export interface Examination {
  /** By type, in time. Rejects only if the hosts themselves fail. */
  readonly rows: ReadonlyMap<string, Promise<Row>>;
  /** Done when all hosts are gone. */
  readonly ended: Promise<void>;
}

/** Starts at once, the types with most cases first. */
export function examineTypes(contract: Contract): Examination {
  const { types, cases } = contract;
  const tasks = [...types.values()]
    .map((type) =>
      taskFor(
        type,
        cases.filter((named) => named.type === type.name),
      ),
    )
    .toSorted((a, b) => b.cases.length - a.cases.length);
  const ended = work(tasks, contract);
  return { rows: new Map(tasks.map((task) => [task.type.name, task.row])), ended };
}

interface Task {
  readonly type: StateType;
  readonly cases: readonly NamedCase[];
  readonly row: Promise<Row>;
  readonly done: (row: Row) => void;
  readonly lost: (error: unknown) => void;
}

function nothing(): void {
  // Until the promise has its own.
}

function taskFor(type: StateType, cases: readonly NamedCase[]): Task {
  let done: Task['done'] = nothing;
  let lost: Task['lost'] = nothing;
  const row = new Promise<Row>((resolve, reject) => {
    [done, lost] = [resolve, reject];
  });
  // Whoever asks for the row is told; nobody need ask.
  row.catch(nothing);
  return { type, cases, row, done, lost };
}

async function work(tasks: readonly Task[], contract: Contract): Promise<void> {
  const queue = [...tasks];
  const count = Math.max(1, Math.min(contract.hosts, queue.length));
  const fleet = await openFleet({ log: contract.log });
  try {
    const workers = Array.from({ length: count }, async (_, index) =>
      takeTasks(fleet, `proof${index + 1}`, queue, contract),
    );
    await Promise.all(workers);
  } catch (error) {
    for (const { lost } of tasks) lost(error);
    throw error;
  } finally {
    await fleet.close();
  }
}

async function takeTasks(
  fleet: Fleet,
  name: string,
  queue: Task[],
  contract: Contract,
): Promise<void> {
  if (queue.length === 0) return;
  const host = await fleet.boot({ name, image: 'full' });
  const laboratory = await openLaboratory(host, contract.entry);
  for (let task = queue.shift(); task !== undefined; task = queue.shift()) {
    task.done(await examineType(task, laboratory));
  }
}

/** A driver that breaks down is a failure of the type, not of all. */
async function examineType({ type, cases }: Task, laboratory: Laboratory): Promise<Row> {
  const findings: Finding[] = [];
  try {
    if (cases.length > 0) await laboratory.run(cases, (finding) => void findings.push(finding));
  } catch (error) {
    const row = rowOf(type, cases, findings);
    return { ...row, complaints: [...row.complaints, `the driver: ${messageOf(error)}`] };
  }
  return rowOf(type, cases, findings);
}
