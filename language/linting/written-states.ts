import { readArguments, readStates, type Arguments, type Written } from '../states/arguments.ts';
import { hasExpression } from '../expression.ts';
import type { Problems } from '../problem.ts';
import { isLoopWord, type StateFile } from '../state-file.ts';
import { textOf, type Entry, type Node } from '../values/node.ts';

/** One state as a file writes it, computed or not. */
export interface WrittenHere {
  readonly file: StateFile;
  readonly entry: Entry;
  readonly written: Written;
  /** Empty if all of them are computed. */
  readonly args: Arguments;
  /** No `each`, no `when` and no expression in its ID has a say in whether it is there. */
  readonly isSure: boolean;
}

/** All that a file writes below its IDs; what is wrong with it is told elsewhere. */
export function writtenIn(file: StateFile, problems: Problems): readonly WrittenHere[] {
  return file.states.flatMap((entry) => writtenBelow(entry, file, { problems }));
}

/** What a file adds to the states of others. */
export function extensionsIn(file: StateFile, problems: Problems): readonly WrittenHere[] {
  const entries = file.extend?.entries ?? [];
  return entries.flatMap((entry) => writtenBelow(entry, file, { problems, isExtension: true }));
}

function writtenBelow(
  entry: Entry,
  file: StateFile,
  { problems, isExtension = false }: { problems: Problems; isExtension?: boolean },
): readonly WrittenHere[] {
  const where = { problems, chain: [], isExtension };
  const isOnce = !hasExpression(entry.key) && !hasLoop(entry.value);
  return readStates(entry.key, withoutLoop(entry.value), where).map((written) => {
    const isComputed = hasExpression(textOf(written.node));
    const args = isComputed ? new Map() : readArguments(written.node, written.type, where);
    const isSure = isOnce && !isComputed && ![...args.keys()].some(isLoopWord);
    return { file, entry, written, args, isSure };
  });
}

function hasLoop(node: Node): boolean {
  return node.kind === 'mapping' && node.entries.some(({ key }) => isLoopWord(key));
}

function withoutLoop(node: Node): Node {
  if (node.kind !== 'mapping') return node;
  return { ...node, entries: node.entries.filter(({ key }) => !isLoopWord(key)) };
}
