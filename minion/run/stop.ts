import { ConductorError } from '../../shared/errors.ts';

/** What ends a run before its end: a cancel or its time. */
export interface Stop {
  /** Its reason is a `ConductorError`. */
  readonly signal: AbortSignal;
  dispose(): void;
}

export function stopWhen(cancel: AbortSignal, timeoutSeconds: number): Stop {
  const controller = new AbortController();
  const onCancel = (): void => {
    const { reason } = cancel;
    const isSaid = reason instanceof ConductorError;
    controller.abort(isSaid ? reason : new ConductorError('CANCELLED', 'the run was cancelled'));
  };
  const timer = setTimeout(() => {
    const message = `the run took longer than ${timeoutSeconds} s`;
    controller.abort(new ConductorError('COMMAND_TIMEOUT', message));
  }, timeoutSeconds * 1000);
  if (cancel.aborted) onCancel();
  cancel.addEventListener('abort', onCancel);
  return {
    signal: controller.signal,
    dispose() {
      clearTimeout(timer);
      cancel.removeEventListener('abort', onCancel);
    },
  };
}
