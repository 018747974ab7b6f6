/** What JSON leaves as it is, and terminals do not: DEL, the C1 controls and two ends of lines. */
// oxlint-disable-next-line no-control-regex -- they are what is looked for
const LEFT = /[\u007f-\u009f\u2028\u2029]/gu;

/** JSON in which no control character is left, so that a terminal can show it whoever it came from. */
export function jsonText(value: unknown): string {
  return withoutControls(JSON.stringify(value));
}

/** The same for JSON that is text already; it stays JSON, of the same value. */
export function withoutControls(json: string): string {
  return json.replaceAll(
    LEFT,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}
