import type { Output } from '../../minion/host/host.ts';
import { fakeHost } from './fake-host.ts';
import type { FakeHost, HostState } from './fake-host.ts';

const DIRECTORIES = ['/etc/demo', '/etc/apt', '/etc/circus', '/etc/nginx', '/etc/systemd/system'];

/** A fake host on which every configuration that is staged gets this answer from its check; a good one if absent. */
export function judgedHost(state: HostState = {}, answer: Partial<Output> = {}): FakeHost {
  const directories = DIRECTORIES.map((path) => [path, { kind: 'directory' as const }] as const);
  const statuses = { ...Object.fromEntries(directories), ...state.statuses };
  const host = fakeHost({ ...state, statuses });
  const good = { exitCode: 0, stderr: '', raw: new Uint8Array() };
  return {
    ...host,
    async query(argv, options = {}) {
      if (argv[0] !== 'unshare') return host.query(argv, options);
      return { ...good, ...answer, stdout: `staged\n${answer.stdout ?? ''}` };
    },
  };
}
