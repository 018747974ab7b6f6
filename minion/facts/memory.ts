/** In MiB. */
export interface Memory {
  readonly memory: number;
  readonly swap: number;
}

/** Reads `/proc/meminfo`. */
export function parseMeminfo(text: string): Memory {
  return { memory: mebibytes(text, 'MemTotal'), swap: mebibytes(text, 'SwapTotal') };
}

function mebibytes(text: string, name: string): number {
  const [, kibibytes = '0'] = new RegExp(`^${name}:\\s+(\\d+) kB$`, 'mu').exec(text) ?? [];
  return Math.floor(Number(kibibytes) / 1024);
}
