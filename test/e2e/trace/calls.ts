/** What strace has written down, read back: one record for each system call that went well. */

export interface Call {
  readonly pid: number;
  readonly name: string;
  readonly args: string;
  /** What it answered, with the file that a descriptor stands for: `3</etc/hosts>`. */
  readonly answer: string;
}

/**
 * How strace has to be called: every process, with the files that descriptors and directories stand for, and the numbers
 * that processes have here where they know themselves by others.
 */
export const STRACE = ['--follow-forks', '--pidns-translation', '-y', '-s', '300'] as const;

/** The process that a number stands for, as strace shows it. */
export function processIn(shown: string): number {
  const [, here] = /^-?\d+ \/\* (\d+) in strace's PID NS \*\//u.exec(shown) ?? [];
  return Number.parseInt(here ?? shown, 10);
}

/** A call that another process interrupted is put together, and stands where it began. */
export function callsIn(trace: string): readonly Call[] {
  const begun = new Map<string, Begun>();
  const whole: string[] = [];
  for (const line of trace.split('\n')) takeLine(line, whole, begun);
  // What had no answer when the watching ended may yet do what it was asked.
  for (const [pid, { at, head }] of begun) whole[at] = `${pid} ${head}) = ?`;
  return whole.flatMap(callIn);
}

function takeLine(line: string, whole: string[], begun: Map<string, Begun>): void {
  const [, pid = '', text = ''] = /^(\d+) +(.*)$/u.exec(line) ?? [];
  const [, head] = /^(.*?)\s*<unfinished \.\.\.>$/u.exec(text) ?? [];
  const [, rest] = /^<\.\.\. \w+ resumed>(.*)$/u.exec(text) ?? [];
  const first = begun.get(pid);
  if (head !== undefined) begun.set(pid, { at: whole.push('') - 1, head });
  else if (rest === undefined || first === undefined) whole.push(`${pid} ${text}`);
  else {
    whole[first.at] = `${pid} ${first.head}${rest}`;
    begun.delete(pid);
  }
}

interface Begun {
  readonly at: number;
  readonly head: string;
}

function callIn(line: string): readonly Call[] {
  const found = /^(\d+) (\w+)\((.*)\)\s+= (.*)$/u.exec(line);
  if (found === null) return [];
  const [, pid = '', name = '', args = '', answer = ''] = found;
  return answer.startsWith('-1 ') ? [] : [{ pid: Number(pid), name, args, answer }];
}
