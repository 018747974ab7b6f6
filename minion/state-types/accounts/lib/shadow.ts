import type { HostView } from '../../../host/host.ts';

/** What /etc/shadow says of one account. Days count from 1970-01-01. */
export interface ShadowEntry {
  readonly password: string;
  readonly mindays: number | null;
  readonly maxdays: number | null;
  readonly warndays: number | null;
  readonly inactdays: number | null;
  readonly expires: number | null;
}

/** Of an account that has no entry. */
export const NO_SHADOW: ShadowEntry = {
  password: '*',
  mindays: null,
  maxdays: null,
  warndays: null,
  inactdays: null,
  expires: null,
};

/** By login name; read once a run, until `changed('shadow')`. */
export function readShadow(host: HostView): Promise<ReadonlyMap<string, ShadowEntry>> {
  return host.shared('shadow', async () => {
    const bytes = await host.readFile('/etc/shadow');
    return parseShadow(bytes === null ? '' : Buffer.from(bytes).toString('utf8'));
  });
}

export function parseShadow(text: string): ReadonlyMap<string, ShadowEntry> {
  const entries = new Map<string, ShadowEntry>();
  for (const line of text.split('\n')) {
    const [name = '', password = '', , ...days] = line.split(':');
    if (name === '') continue;
    const [mindays, maxdays, warndays, inactdays, expires] = days.map(dayCount);
    entries.set(name, {
      password,
      mindays: mindays ?? null,
      maxdays: maxdays ?? null,
      warndays: warndays ?? null,
      inactdays: inactdays ?? null,
      expires: expires ?? null,
    });
  }
  return entries;
}

function dayCount(field: string): number | null {
  return field === '' ? null : Number(field);
}

const DAY = 86_400_000;

/** `2027-01-31` for a count of days; `never` for none. */
export function dateOfDays(days: number | null): string {
  return days === null || days < 0 ? 'never' : new Date(days * DAY).toISOString().slice(0, 10);
}
