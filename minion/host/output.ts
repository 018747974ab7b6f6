const HEAD = 256 * 1024;
const TAIL = 768 * 1024;

/** Keeps the beginning and the end of a stream, and counts what it leaves out in between. */
export interface Capture {
  add(piece: Uint8Array): void;
  bytes(): Uint8Array;
}

export function createCapture(head = HEAD, tail = TAIL): Capture {
  const first: Uint8Array[] = [];
  let last: Uint8Array[] = [];
  let firstSize = 0;
  let lastSize = 0;
  let leftOut = 0;

  const keepEnd = (): void => {
    const joined = Buffer.concat(last);
    const kept = joined.subarray(Math.max(0, joined.byteLength - tail));
    leftOut += joined.byteLength - kept.byteLength;
    last = [kept];
    lastSize = kept.byteLength;
  };

  return {
    add(piece) {
      const room = head - firstSize;
      if (room > 0) first.push(piece.subarray(0, room));
      firstSize += Math.min(room, piece.byteLength);
      const rest = piece.subarray(Math.max(0, room));
      if (rest.byteLength > 0) last.push(rest);
      lastSize += rest.byteLength;
      if (lastSize > 2 * tail) keepEnd();
    },
    bytes() {
      if (lastSize > tail) keepEnd();
      const mark = leftOut > 0 ? [Buffer.from(`\n[… ${leftOut} bytes left out …]\n`)] : [];
      return Buffer.concat([...first, ...mark, ...last]);
    },
  };
}
