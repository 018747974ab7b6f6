import test from 'ava';
import { endingBy } from '../../../minion/run/endings.ts';

test('each signal says who is behind it', (t) => {
  const signals = ['SIGUSR2', 'SIGINT', 'SIGHUP', 'SIGTERM'] as const;
  const said = signals.map((signal) => endingBy(signal));
  t.true(said.every(({ code }) => code === 'CANCELLED'));
  t.deepEqual(
    said.map(({ message }) => /operator|whoever|terminal|shuts down/u.exec(message)?.[0]),
    ['operator', 'whoever', 'terminal', 'shuts down'],
  );
});
