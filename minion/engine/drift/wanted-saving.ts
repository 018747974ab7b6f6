import { writeDurably } from '../../host/durable-file.ts';
import { appendNews, dropNews, wantedPath } from './wanted-file.ts';
import type { WantedFile } from './wanted-file.ts';
import type { Key } from './wanted-key.ts';
import { forgetFresh, hasFresh, inFile, newsOf } from './wanted-records.ts';
import type { Records } from './wanted-records.ts';

interface Saved {
  readonly key: Key;
  readonly loaded: WantedFile;
  readonly records: Records;
}

/** A journal of so many lines is brought into the file: it must not grow for ever. */
const MOST_LINES = 20_000;

/** How a run writes down what it remembers. */
export function savingIn(stateDirectory: string, { key, loaded, records }: Saved) {
  const before = JSON.stringify(loaded);
  /** What the file on disk says: otherwise a journal beside it is that of a run that has ended. */
  let { isOpen } = loaded;
  /** `null` as long as nobody knows that the last one could be written: then the file is. */
  let lines: number | null = null;
  const whole = (change: Omit<Partial<WantedFile>, 'memos'>): void => {
    const next = { ...loaded, ...change };
    const text = JSON.stringify({ ...next, ...inFile(records) });
    if (!isOpen && text === before) return;
    key.keep();
    if (!isOpen) dropNews(stateDirectory);
    writeDurably(wantedPath(stateDirectory), text);
    ({ isOpen } = next);
    dropNews(stateDirectory);
  };
  return {
    whole,
    /** Once it returns it is on disk that a run is under way, and all that it has brought about. */
    begin(): void {
      const count = lines ?? MOST_LINES;
      lines = null;
      if (count >= MOST_LINES) whole({ isOpen: true });
      else if (hasFresh(records)) appendNews(stateDirectory, newsOf(records));
      forgetFresh(records);
      lines = count >= MOST_LINES ? 0 : count + 1;
    },
  };
}
