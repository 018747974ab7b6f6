import { spawnSync } from 'node:child_process';

const TIMEOUT_MS = 300_000;

/** Runs a script of a case as root. Throws with its output if it fails. */
export function shell(what: string, script: string | undefined): void {
  if (script === undefined) return;
  const { status, stdout, stderr, error } = spawnSync('/bin/bash', ['-e', '-c', script], {
    stdio: ['ignore', 'pipe', 'pipe'],
    encoding: 'utf8',
    timeout: TIMEOUT_MS,
    cwd: '/',
  });
  if (status === 0) return;
  const said = `${stdout}\n${stderr}`.trim().split('\n').slice(-12).join('\n');
  const how = error === undefined ? `exited with ${String(status)}` : error.message;
  throw new Error(`"${what}" ${how}${said === '' ? '' : `:\n${said}`}`);
}
