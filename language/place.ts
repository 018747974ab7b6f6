/** Where something stands in a tree; lines and columns count from 1. */
export interface Place {
  readonly file: string;
  readonly line: number;
  readonly column: number;
}

/** `states/web/init.yaml:12:5`. */
export function showPlace({ file, line, column }: Place): string {
  return `${file}:${line}:${column}`;
}
