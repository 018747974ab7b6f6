/** An IP address, or a network of them, as bits. */
interface Network {
  readonly bits: string;
  readonly length: number;
}

/** `10.0.0.0/8`, `fd00::/8` or one address; `null` if it is none. */
export function parseNetwork(text: string): Network | null {
  const [address = '', prefix, more] = text.split('/');
  const bits = parseAddress(address);
  if (bits === null || more !== undefined) return null;
  if (prefix === undefined) return { bits, length: bits.length };
  const length = /^\d{1,3}$/u.test(prefix) ? Number(prefix) : Infinity;
  return length <= bits.length ? { bits, length } : null;
}

/** Whether an address (a prefix behind it does not matter) lies in a network. */
export function isInNetwork(address: string, { bits, length }: Network): boolean {
  const own = parseNetwork(address)?.bits;
  return own?.length === bits.length && own.slice(0, length) === bits.slice(0, length);
}

function parseAddress(text: string): string | null {
  return text.includes(':') ? parseIpv6(text) : parseIpv4(text);
}

function parseIpv4(text: string): string | null {
  const parts = text.split('.');
  if (parts.length !== 4 || !parts.every((part) => /^\d{1,3}$/u.test(part))) return null;
  const numbers = parts.map(Number);
  return numbers.every((number) => number < 256) ? numbers.map((n) => binary(n, 8)).join('') : null;
}

function parseIpv6(text: string): string | null {
  const [head = '', tail, more] = text.replace(/%.*$/u, '').split('::');
  if (more !== undefined) return null;
  const front = groups(head);
  const back = tail === undefined ? [] : groups(tail);
  if (front === null || back === null) return null;
  const missing = 8 - front.length - back.length;
  if (tail === undefined ? missing !== 0 : missing < 1) return null;
  const all = [...front, ...Array.from({ length: missing }, () => 0), ...back];
  return all.map((group) => binary(group, 16)).join('');
}

function groups(text: string): number[] | null {
  if (text === '') return [];
  const parts = text.split(':');
  const last = parts.at(-1) ?? '';
  const embedded = last.includes('.') ? parseIpv4(last) : null;
  if (last.includes('.') && embedded === null) return null;
  const hex = embedded === null ? parts : parts.slice(0, -1);
  if (!hex.every((part) => /^[0-9a-f]{1,4}$/iu.test(part))) return null;
  const numbers = hex.map((part) => Number.parseInt(part, 16));
  if (embedded === null) return numbers;
  const tail = [embedded.slice(0, 16), embedded.slice(16)];
  return [...numbers, ...tail.map((bits) => Number.parseInt(bits, 2))];
}

function binary(number: number, width: number): string {
  return number.toString(2).padStart(width, '0');
}
