/**
 * Marks stand in reports for what is not shown. Equal marks of one minion stand for equal texts; marks of
 * two minions cannot be compared, for each has a key of its own for its fingerprints.
 */

export function secretMark(fingerprint: string): string {
  return `secret(${fingerprint})`;
}

export function digestMark(fingerprint: string): string {
  return `digest(${fingerprint})`;
}

/** Of a text that the difference beside it shows. */
export function sizeMark(bytes: number, fingerprint: string): string {
  return `${bytes} bytes (${fingerprint})`;
}

const FINGERPRINT = /(?<kind>secret|digest|\d bytes )\([0-9a-f]{4}\)/gu;

/** The same for two minions of which the same is told. */
export function withoutFingerprints(text: string): string {
  return text.replaceAll(FINGERPRINT, '$<kind>(…)');
}
