import type { Place } from '../place.ts';

/** A YAML text and how to tell where an offset in it stands. */
export interface Source {
  readonly file: string;
  readonly text: string;
  readonly placeAt: (offset: number) => Place;
}

/** A file as Salt reads it: `yes` and `on` are true, and `<<` merges. */
export function isSaltFile(file: string): boolean {
  return file.endsWith('.sls');
}

/** Turns offsets into lines and columns. */
export function placesOf(file: string, text: string): (offset: number) => Place {
  const starts = [0];
  for (let at = text.indexOf('\n'); at !== -1; at = text.indexOf('\n', at + 1)) starts.push(at + 1);
  return (offset) => {
    let low = 0;
    let high = starts.length - 1;
    while (low < high) {
      const middle = Math.ceil((low + high) / 2);
      if ((starts[middle] ?? 0) <= offset) low = middle;
      else high = middle - 1;
    }
    return { file, line: low + 1, column: offset - (starts[low] ?? 0) + 1 };
  };
}
