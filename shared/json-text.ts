/** What JSON leaves as it is, and terminals do not: DEL, the C1 controls, two ends of lines, and what turns the direction of text. */
const LEFT =
  // oxlint-disable-next-line no-control-regex -- they are what is looked for
  /[\u007f-\u009f\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069]/gu;

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
