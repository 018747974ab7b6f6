import { spawn } from 'node:child_process';
import { messageOf } from '../../shared/errors.ts';
import type { Logger } from '../../shared/log.ts';

/** Tells systemd that the service is up, if systemd has asked for it. */
export function notifyReady(environment: NodeJS.ProcessEnv, log: Logger): void {
  if (environment['NOTIFY_SOCKET'] === undefined) return;
  const child = spawn('systemd-notify', ['--ready', `--pid=${process.pid}`], { stdio: 'inherit' });
  child.on('error', (error) => {
    log.warn({ problem: messageOf(error) }, 'Service manager could not be told');
  });
}
