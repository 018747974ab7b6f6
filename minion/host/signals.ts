import { setMaxListeners } from 'node:events';

/** A signal that others set off; `dispose` when nobody waits for it any more. */
export interface Linked {
  readonly controller: AbortController;
  readonly dispose: () => void;
}

/**
 * A controller that also follows a signal, with its reason. In place of `AbortSignal.any`, whose
 * result Node 20 may collect as garbage while somebody still waits for it.
 */
export function following(signal: AbortSignal): Linked {
  const controller = new AbortController();
  // A state may do many things at once, and each waits for the same end.
  setMaxListeners(0, controller.signal);
  const follow = (): void => controller.abort(signal.reason);
  if (signal.aborted) follow();
  signal.addEventListener('abort', follow);
  return { controller, dispose: () => signal.removeEventListener('abort', follow) };
}
