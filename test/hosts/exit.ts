const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

export interface ExitOptions {
  /** Whether SIGINT, SIGTERM and SIGHUP are met here; otherwise whoever meets them has to end with `process.exit`. */
  readonly handleSignals: boolean;
}

/**
 * Has `cleanup` run when this process exits, unless it is called off before. It runs to its end in place: there is no
 * next turn of the event loop.
 */
export function atExit(cleanup: () => void, { handleSignals }: ExitOptions): () => void {
  function onSignal(signal: NodeJS.Signals): void {
    // Still listening: a second signal (an impatient Ctrl-C, a parent that passes its own on) must not cut this short.
    cleanup();
    callOff();
    // Now the signal does what it would have done without us, or what somebody else makes of it.
    process.kill(process.pid, signal);
  }
  function callOff(): void {
    process.off('exit', cleanup);
    for (const signal of SIGNALS) process.off(signal, onSignal);
  }
  process.once('exit', cleanup);
  if (handleSignals) for (const signal of SIGNALS) process.on(signal, onSignal);
  return callOff;
}
