/** Something about test hosts went wrong. The message says what could not be done and how things stand. */
export class HostError extends Error {
  override readonly name = 'HostError';
}
