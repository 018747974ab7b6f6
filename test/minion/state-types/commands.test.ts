import test from 'ava';
import { ConductorError } from '../../../shared/errors.ts';
import { z } from 'zod';
import { cmdScript, interpreterOf } from '../../../minion/state-types/commands/cmd-script.ts';
import { surroundings } from '../../../minion/state-types/commands/cmd-schema.ts';
import { cmdRun, cmdWait } from '../../../minion/state-types/commands/cmd.ts';
import { complaintAbout, httpQuery } from '../../../minion/state-types/commands/http-query.ts';
import { scriptOf } from '../../../minion/state-types/commands/lib/execute.ts';
import { hasChanged } from '../../../minion/state-types/commands/lib/verdict.ts';
import { wordsOf } from '../../../minion/state-types/commands/lib/words.ts';
import {
  testConfigurable,
  testFailWithoutChanges,
  testShowNotification,
} from '../../../minion/state-types/commands/test.ts';
import { converge, dryRun, forReal, notified } from '../../helpers/converge.ts';
import { fakeHost } from '../../helpers/fake-host.ts';

test('a line of arguments is split as a shell does it', (t) => {
  t.deepEqual(wordsOf(`--all  "two words" it\\'s 'a "b"' x"y z"w "\\"" ''`), [
    '--all',
    'two words',
    "it's",
    'a "b"',
    'xy zw',
    '"',
    '',
  ]);
  t.deepEqual(wordsOf('  '), []);
});

test('the first line of a script says what reads it, as the kernel understands it', (t) => {
  t.deepEqual(interpreterOf('#!/usr/bin/env -S python3 -u\nx', '/bin/sh'), [
    '/usr/bin/env',
    '-S python3 -u',
  ]);
  t.deepEqual(interpreterOf('#! /bin/bash\r\nx', '/bin/sh'), ['/bin/bash']);
  t.deepEqual(interpreterOf('echo', '/bin/dash'), ['/bin/dash']);
});

const SURROUNDINGS = z.strictObject(surroundings).parse({});

function titleOf(script: string): string {
  return scriptOf(['/bin/sh'], script, SURROUNDINGS).title;
}

test('a script is called by its first line, and how many there are', (t) => {
  t.is(titleOf('make\n'), '"make"');
  t.is(titleOf('set -e\nmake'), '"set -e" and one more line');
  t.is(titleOf('set -e\nmake\nmake install\n'), '"set -e" and 2 more lines');
});

test('a stateful command says whether it has changed anything by a last line or by JSON', (t) => {
  t.true(hasChanged('working\n\nchanged=yes comment="it is done" other=1\n'));
  t.true(hasChanged('{"changed": true, "comment": "x"}'));
  t.false(hasChanged("comment='changed=yes'"));
  t.false(hasChanged('changed=No'));
  t.false(hasChanged(''));
  t.throws(() => hasChanged('all done'), {
    code: 'STATE_REFUSED',
    message: /no word such as changed=yes/,
  });
  t.throws(() => hasChanged('{"changed":'), { code: 'STATE_REFUSED', message: /no JSON/ });
});

test('only a run of a stateful command tells whether anything changes; its test_name tells before', async (t) => {
  const args = { name: 'make', stateful: true, always: true };
  const made = await converge(cmdRun, args, fakeHost(), dryRun);
  t.like(made, {
    status: 'unknown',
    because: 'only the command itself tells whether it changes anything',
  });
  const host = fakeHost({ commands: { '/bin/bash -c eval "$(cat)"': 'changed=no' } });
  const asked = { ...args, stateful: [{ test_name: 'make --question' }] };
  t.like(await converge(cmdRun, asked, host, forReal), { status: 'unchanged' });
  t.is(host.queries[0]?.options.input, 'make --question');
  t.deepEqual(host.ran, []);
});

test('a stateful command that waits tells whether it has changed anything', async (t) => {
  const args = { name: 'make', stateful: true };
  const silent = fakeHost();
  t.like(await converge(cmdWait, args, silent, notified), { status: 'unchanged' });
  const [line = ''] = silent.ran;
  const busy = fakeHost({ commands: { [line]: 'changed=yes' } });
  t.like(await converge(cmdWait, args, busy, notified), { status: 'changed', reaction: 'ran' });
  t.like(await converge(cmdWait, args, fakeHost(), forReal), { status: 'unchanged' });
});

test('what a command printed is told, unless that is to be hidden', async (t) => {
  const args = { name: 'uptime', always: true };
  const silent = fakeHost();
  await converge(cmdRun, args, silent, forReal);
  const host = () => fakeHost({ commands: { [silent.ran[0] ?? '']: 'up 3 days\n' } });
  t.like(await converge(cmdRun, args, host(), forReal), { printed: 'up 3 days\n' });
  for (const hidden of [{ hide_output: true }, { output_loglevel: 'quiet' }])
    t.like(await converge(cmdRun, { ...args, ...hidden }, host(), forReal), { printed: '' });
});

test('a command that runs too long is named, with what it printed unless that is hidden', async (t) => {
  const details = { output: 'a secret', seconds: 2 };
  const host = {
    ...fakeHost({}),
    run: () =>
      Promise.reject(new ConductorError('COMMAND_TIMEOUT', 'Cannot finish "/bin/bash"', details)),
  };
  const args = { name: 'uptime', always: true };
  const told = async (more: object) =>
    t.throwsAsync<ConductorError>(converge(cmdRun, { ...args, ...more }, host, forReal));
  t.like(await told({}), {
    message: 'Cannot finish "uptime": it ran longer than 2 s',
    details: { output: 'a secret' },
  });
  t.like(await told({ hide_output: true }), {
    message: 'Cannot finish the command: it ran longer than 2 s',
    details: {},
  });
  t.false('output' in (await told({ hide_output: true })).details);
});

test('an answer is held against status and text', (t) => {
  const answer = { status: 200, headers: {}, body: Buffer.from('all ready 42') };
  const asked = { name: 'http://x/', status: [200], match_type: 'string' as const };
  t.is(complaintAbout(answer, { ...asked }), null);
  t.is(complaintAbout(answer, { ...asked, status: [404, 301] }), 'the answer is status 200');
  t.is(complaintAbout(answer, { ...asked, match: 'ready 42' }), null);
  t.is(complaintAbout(answer, { ...asked, match: 'y \\d' }), 'the answer does not hold the text');
  t.is(complaintAbout(answer, { ...asked, match: 'y \\d', match_type: 'pcre' }), null);
  t.is(complaintAbout(null, { ...asked }), 'nothing answers');
});

test('what is only looked at needs no guard; what is sent is sent once', async (t) => {
  const url = 'http://127.0.0.1/';
  t.true(httpQuery.goesUnguarded?.(httpQuery.schema.parse({ name: url, method: 'HEAD' })));
  t.false(httpQuery.goesUnguarded?.(httpQuery.schema.parse({ name: url, method: 'POST' })));
  const host = fakeHost({ http: { [url]: { status: 200 } } });
  t.like(await converge(httpQuery, { name: url }, host, forReal), { status: 'unchanged' });
  t.deepEqual(host.ran, []);
  await converge(httpQuery, { name: url, method: 'PUT', data: 'x' }, host, forReal);
  t.deepEqual(host.ran, [`PUT ${url} x`]);
});

test('a URL is tried again for as long as is said, and no longer', async (t) => {
  const asked = { name: 'http://127.0.0.1/', wait_for: 3, request_interval: 1 };
  const host = fakeHost();
  await t.throwsAsync(converge(httpQuery, asked, host, forReal), {
    code: 'CHECK_FAILED',
    message: 'Cannot accept "http://127.0.0.1/": nothing answers',
  });
  t.deepEqual(host.slept, [1000, 1000, 1000]);
});

test('impossible combinations are refused', (t) => {
  const wrong = [
    [httpQuery, { name: 'http://x/', data: 'x' }],
    [httpQuery, { name: 'http://x/', username: 'x' }],
    [httpQuery, { name: 'ftp://x/' }],
    [cmdScript, { name: 'x', source: 'https://x/y' }],
    [cmdScript, { name: 'x' }],
    [cmdRun, { name: 'x', bg: true }],
    [cmdRun, { name: ' ' }],
    [testConfigurable, { name: 'x', result: 'Random' }],
  ] as const;
  for (const [type, args] of wrong)
    t.false(type.schema.safeParse(args).success, JSON.stringify(args));
});

test('what is meant to fail fails in a dry run too, and a text for the reader comes with no change', async (t) => {
  const failing = converge(
    testFailWithoutChanges,
    { name: 'x', comment: 'No' },
    fakeHost(),
    dryRun,
  );
  await t.throwsAsync(failing, { code: 'STATE_REFUSED', message: 'No' });
  const told = await converge(
    testShowNotification,
    { name: 'x', text: 'Look' },
    fakeHost(),
    forReal,
  );
  t.deepEqual(told, { status: 'unchanged', says: 'Look' });
});

test('the title of a command that fails is whole: a secret in it is found, wherever it stands', async (t) => {
  const line = `echo ${'a'.repeat(150)} 'correct horse battery staple'; exit 3`;
  const silent = fakeHost();
  await converge(cmdRun, { name: line, always: true }, silent, forReal);
  const failing = fakeHost({ commands: { [silent.ran[0] ?? '']: { exitCode: 3 } } });
  const error = await t.throwsAsync(
    converge(cmdRun, { name: line, always: true }, failing, forReal),
  );
  t.true(error.message.includes(line));
});
