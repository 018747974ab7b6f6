import { once } from 'node:events';
import { createServer, connect } from 'node:net';
import type { AddressInfo, Server, Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

/** Something between a minion and its master that carries their bytes, as badly as it is told to. */
export interface Relay {
  /** As a minion's `master` setting. */
  readonly address: string;
  /** Connections that were made to it. */
  readonly connections: number;
  /** How connections are treated from now on. */
  treat(treatment: Treatment): void;
  close(): Promise<void>;
}

export type Treatment =
  | { readonly kind: 'pass' }
  /** After so many bytes, both ways together, both ends are told that the connection is reset. */
  | { readonly kind: 'reset'; readonly bytes: number }
  /** Whatever is asked, this is the answer, and the end. */
  | { readonly kind: 'answer'; readonly text: string }
  /** Each way so many bytes a second, each of them so late. */
  | { readonly kind: 'slow'; readonly bytesPerSecond: number; readonly latencyMs: number };

interface Ends {
  /** Where it listens; the port is any that is free. */
  readonly host: string;
  readonly to: { readonly host: string; readonly port: number };
}

export async function openRelay({ host, to }: Ends): Promise<Relay> {
  const sockets = new Set<Socket>();
  const state: { treatment: Treatment; connections: number } = {
    treatment: { kind: 'pass' },
    connections: 0,
  };
  const server = createServer((near) => {
    state.connections += 1;
    const { treatment } = state;
    if (treatment.kind === 'answer') return answer(near, treatment.text);
    const far = connect(to);
    for (const socket of [near, far]) {
      sockets.add(socket);
      socket.once('close', () => sockets.delete(socket));
    }
    join(near, far, treatment);
  });
  server.listen(0, host);
  await once(server, 'listening');
  return {
    address: `${host}:${portOf(server)}`,
    get connections() {
      return state.connections;
    },
    treat: (treatment) => {
      state.treatment = treatment;
    },
    close: async () => {
      const closed = once(server, 'close');
      server.close();
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}

function portOf(server: Server): number {
  const address: AddressInfo | string | null = server.address();
  if (address === null || typeof address === 'string') throw new Error('the relay does not listen');
  return address.port;
}

function answer(near: Socket, text: string): void {
  near.on('error', () => near.destroy());
  near.once('data', () => near.end(text));
}

function join(near: Socket, far: Socket, treatment: Treatment): void {
  const budget = { left: treatment.kind === 'reset' ? treatment.bytes : Number.POSITIVE_INFINITY };
  const reset = (): void => {
    near.resetAndDestroy();
    far.resetAndDestroy();
  };
  for (const [from, to] of [
    [near, far],
    [far, near],
  ] as const) {
    from.on('error', reset);
    void carry(from, to, { treatment, budget, reset });
  }
}

interface Carriage {
  readonly treatment: Treatment;
  readonly budget: { left: number };
  readonly reset: () => void;
}

/** Reads no more than it can pass on, so that the sender feels how slow it is. */
async function carry(from: Socket, to: Socket, { treatment, budget, reset }: Carriage) {
  const pace = { dueAt: 0 };
  try {
    for await (const piece of from) {
      if (!(piece instanceof Uint8Array)) continue;
      budget.left -= piece.length;
      if (budget.left < 0) return reset();
      if (treatment.kind === 'slow') await slowly(to, piece, { ...treatment, pace });
      else await write(to, piece);
    }
    if (treatment.kind === 'slow') await sleep(treatment.latencyMs);
    to.end();
  } catch {
    // Either end has gone: the other one is told in the same way.
    reset();
  }
}

const STEP_MS = 100;
/** What it may make up for. */
const MOST_BEHIND_MS = 1_000;

type Slow = Extract<Treatment, { kind: 'slow' }> & { readonly pace: { dueAt: number } };

/** However late its timers are, it is no slower than it is told to be. */
async function slowly(to: Socket, piece: Uint8Array, { bytesPerSecond, latencyMs, pace }: Slow) {
  const step = Math.max(1, Math.floor((bytesPerSecond * STEP_MS) / 1000));
  for (let at = 0; at < piece.length; at += step) {
    const part = piece.subarray(at, at + step);
    setTimeout(() => to.write(part), latencyMs);
    const from = Math.max(pace.dueAt, performance.now() - MOST_BEHIND_MS);
    pace.dueAt = from + (part.length / bytesPerSecond) * 1000;
    await sleep(Math.max(0, pace.dueAt - performance.now()));
  }
}

async function write(to: Socket, piece: Uint8Array): Promise<void> {
  if (!to.write(piece)) await once(to, 'drain');
}
