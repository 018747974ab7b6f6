import { EventEmitter, once } from 'node:events';
import type { ChannelEnd } from '../../protocol/channel.ts';
import type { MasterChannel } from '../../protocol/connect.ts';
import type { MasterMessage, MinionMessage } from '../../protocol/messages.ts';
import { ConductorError } from '../../shared/errors.ts';

type Without<Message, Key extends string> = Message extends unknown ? Omit<Message, Key> : never;

/** A message that the master answers; its number is the link's business. */
export type Question = Without<
  Extract<MinionMessage, { readonly type: 'prepare' | 'blobs' }>,
  'request'
>;

export type Reply = Extract<MasterMessage, { readonly type: 'prepared' | 'blobs' | 'refused' }>;

/** What the rest of the agent knows of the connection, which comes and goes. */
export interface Link {
  readonly isConnected: boolean;
  /** Waits for a session; `false` if there is none by then. */
  connectedWithin(milliseconds: number): Promise<boolean>;
  /** Rejects with CHANNEL_CLOSED if there is no session, or it ends before the message has left. */
  send(message: MinionMessage): Promise<void>;
  /** Rejects with CHANNEL_CLOSED if the session ends before the answer has come. */
  ask(question: Question): Promise<Reply>;
  /** Uses a session until it ends; what is no answer goes to `handle`. */
  attend(channel: MasterChannel, handle: (message: MasterMessage) => void): Promise<ChannelEnd>;
}

interface Waiting {
  readonly resolve: (reply: Reply) => void;
  readonly reject: (error: Error) => void;
}

export function createLink(): Link {
  const waiting = new Map<number, Waiting>();
  const events = new EventEmitter();
  let channel: MasterChannel | null = null;
  let requests = 0;

  const send = (message: MinionMessage): Promise<void> =>
    channel === null ? Promise.reject(notConnected()) : channel.send(message);

  return {
    get isConnected() {
      return channel !== null;
    },
    connectedWithin: async (milliseconds) => channel !== null || comes(events, milliseconds),
    send,
    ask: (question) => {
      requests += 1;
      const request = requests;
      return new Promise((resolve, reject) => {
        waiting.set(request, { resolve, reject });
        send({ ...question, request }).catch((error: unknown) => {
          waiting.delete(request);
          reject(error instanceof Error ? error : notConnected());
        });
      });
    },
    attend: async (session, handle) => {
      channel = session;
      events.emit('connected');
      session.listen((message) => {
        if (isReply(message)) settle(waiting, message);
        else handle(message);
      });
      const end = await session.ended;
      channel = null;
      abandon(waiting);
      return end;
    },
  };
}

async function comes(events: EventEmitter, milliseconds: number): Promise<boolean> {
  try {
    await once(events, 'connected', { signal: AbortSignal.timeout(milliseconds) });
    return true;
  } catch (error) {
    if (error instanceof Error && error.name === 'AbortError') return false;
    throw error;
  }
}

function isReply(message: MasterMessage): message is Reply {
  return ['prepared', 'blobs', 'refused'].includes(message.type);
}

function settle(waiting: Map<number, Waiting>, reply: Reply): void {
  waiting.get(reply.request)?.resolve(reply);
  waiting.delete(reply.request);
}

function abandon(waiting: Map<number, Waiting>): void {
  for (const { reject } of waiting.values()) reject(notConnected());
  waiting.clear();
}

function notConnected(): ConductorError {
  return new ConductorError('CHANNEL_CLOSED', 'Cannot ask the master: there is no connection');
}
