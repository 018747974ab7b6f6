const MOST_TEXT_BYTES = 256 * 1024;

/** Bytes as text that a person can read as a difference; `null` if they are none or too many. */
export function asText(bytes: Uint8Array): string | null {
  if (bytes.length > MOST_TEXT_BYTES || bytes.includes(0)) return null;
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (error) {
    if (error instanceof TypeError) return null;
    throw error;
  }
}
