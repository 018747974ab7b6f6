/** What a distribution says of itself. */
export interface OperatingSystem {
  /** `Debian` */
  readonly os: string;
  /** The family it comes from: `Debian` also on Ubuntu. */
  readonly os_family: string;
  /** `12` */
  readonly release: string;
  /** `bookworm` */
  readonly codename: string;
}

/** Reads `/etc/os-release`. */
export function parseOsRelease(text: string): OperatingSystem {
  const fields = new Map(text.split('\n').flatMap(fieldIn));
  const id = fields.get('ID') ?? 'linux';
  const like = (fields.get('ID_LIKE') ?? '').split(' ')[0] ?? '';
  return {
    os: capitalized(id),
    os_family: capitalized(like === '' ? id : like),
    release: fields.get('VERSION_ID') ?? '',
    codename: fields.get('VERSION_CODENAME') ?? '',
  };
}

function fieldIn(line: string): readonly (readonly [string, string])[] {
  const [, name, value] = /^([A-Z_]+)=(.*)$/u.exec(line) ?? [];
  if (name === undefined || value === undefined) return [];
  return [[name, value.replace(/^(["'])(.*)\1$/u, '$2')]];
}

function capitalized(word: string): string {
  return word.slice(0, 1).toUpperCase() + word.slice(1);
}
