import type { RawData, WebSocket } from 'ws';
import { ConductorError } from '../shared/errors.ts';
import { CLOSE_NOT_BINARY } from './wire.ts';
import type { Wire, WireListener } from './wire.ts';

/** An open websocket as a wire. A text frame closes it. */
export function wireOf(socket: WebSocket): Wire {
  const early: Uint8Array[] = [];
  let listener: WireListener | null = null;
  let isClosed = false;

  socket.on('message', (data: RawData, isBinary: boolean) => {
    if (!isBinary) {
      socket.close(CLOSE_NOT_BINARY);
      return;
    }
    const bytes = bytesOf(data);
    if (listener === null) early.push(bytes);
    else listener.message(bytes);
  });
  // An error is always followed by `close`; without a handler it would end the process.
  socket.on('error', () => socket.terminate());
  socket.on('close', () => {
    isClosed = true;
    listener?.close();
  });

  return {
    send: (bytes) => send(socket, bytes),
    close: (code) => socket.close(code),
    terminate: () => socket.terminate(),
    pause: () => socket.pause(),
    resume: () => socket.resume(),
    listen: (next) => {
      listener = next;
      for (const bytes of early.splice(0)) next.message(bytes);
      if (isClosed) next.close();
    },
  };
}

function send(socket: WebSocket, bytes: Uint8Array): Promise<void> {
  return new Promise((resolve, reject) => {
    socket.send(bytes, (cause) => {
      if (cause == null) resolve();
      else
        reject(
          new ConductorError('CHANNEL_CLOSED', 'Cannot send: the connection has ended', { cause }),
        );
    });
  });
}

function bytesOf(data: RawData): Uint8Array {
  if (Array.isArray(data)) return Buffer.concat(data);
  return data instanceof ArrayBuffer ? new Uint8Array(data) : data;
}
