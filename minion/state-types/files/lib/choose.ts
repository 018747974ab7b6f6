import { z } from 'zod';
import { compilePattern } from './pattern.ts';

/** Patterns for paths below a directory, as Salt writes them: globs, or `E@` and a regular expression. */
const one = z.string().superRefine((text, context) => {
  try {
    regexOf(text);
  } catch (error) {
    context.addIssue({ code: 'custom', message: `is no pattern: ${String(error)}` });
  }
});

export const pathPatterns = z.union([one.transform((text) => [text]), z.array(one)]);

/** Whether a path, or a directory that it is in, is meant by any of the patterns. */
export function chooser(patterns: readonly string[]): (path: string) => boolean {
  const regexes = patterns.map(regexOf);
  return (path) =>
    regexes.length > 0 && pathsTo(path).some((at) => regexes.some((regex) => regex.test(at)));
}

/** The path itself and every directory above it. */
export function pathsTo(path: string): string[] {
  const parts = path.split('/');
  return parts.map((_part, index) => parts.slice(0, parts.length - index).join('/'));
}

function regexOf(pattern: string): RegExp {
  if (pattern.startsWith('E@')) return compilePattern(pattern.slice(2));
  const source = pattern.replaceAll(/\*+|\?|\[!?[^\]]+\]|[\\^$.+(){}|/[\]]/gu, (found) => {
    if (found.startsWith('*')) return '[^]*';
    if (found === '?') return '[^]';
    if (found.startsWith('[') && found.length > 1) return found.replace('[!', '[^');
    return `\\${found}`;
  });
  return new RegExp(`^${source}$`, 'u');
}
