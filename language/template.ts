import { Buffer } from 'node:buffer';
import { createHash } from 'node:crypto';
import { Secret } from '../shared/secret.ts';
import type { TreeFile } from '../shared/tree-file.ts';
import type { Data } from './values/data.ts';
import { renderParts } from './expressions/evaluate.ts';
import { syntaxOf } from './expression.ts';
import type { Place } from './place.ts';
import { Mistake } from './problem.ts';
import { findLeftover } from './values/jinja-template.ts';
import { rootFrame, type Workshop } from './expressions/scope.ts';
import { SpotMistake, type Part } from './expressions/syntax-tree.ts';

/** A file that is copied as it is. */
export function staticFile(path: string, bytes: Uint8Array): TreeFile {
  return { path, sha256: sha256(bytes), read: () => bytes };
}

/** A template with its expressions computed. Throws a Mistake at the template's own line. */
export function renderTemplate(
  path: string,
  bytes: Uint8Array,
  { names, workshop }: { names: ReadonlyMap<string, Data>; workshop: Workshop },
): TreeFile {
  const parts = readTemplate(path, bytes, workshop);
  const rendered = attempt(path, () => {
    return renderParts(parts, rootFrame(names, { isOpen: true }), workshop);
  });
  if (!(rendered instanceof Secret)) return staticFile(path, Buffer.from(rendered, 'utf8'));
  const file = staticFile(path, Buffer.from(String(rendered.reveal()), 'utf8'));
  return { ...file, isSecret: true };
}

/** A template's syntax. Throws a Mistake if it cannot be read. */
export function readTemplate(path: string, bytes: Uint8Array, workshop: Workshop): readonly Part[] {
  const text = decode(path, bytes);
  const left = findLeftover(text);
  if (left === null) return attempt(path, () => syntaxOf(text, workshop));
  throw new Mistake({ file: path, line: left.line, column: left.column }, left.message, left.help);
}

function decode(path: string, bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    throw new Mistake({ file: path, line: 1, column: 1 }, 'the template is not UTF-8 text');
  }
}

function attempt<Result>(path: string, run: () => Result): Result {
  try {
    return run();
  } catch (error) {
    if (!(error instanceof SpotMistake)) throw error;
    const { line, column } = error.spot;
    const place: Place = { file: path, line, column: column + 1 };
    throw new Mistake(place, error.message, error.help);
  }
}

function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}
