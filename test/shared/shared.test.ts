import test from 'ava';
import fc from 'fast-check';
import { inspect } from 'node:util';
import { canonicalJson } from '../../shared/canonical-json.ts';
import { diff } from '../../shared/change.ts';
import type { Attributes, Value } from '../../shared/change.ts';
import { ConductorError, messageOf, systemCode } from '../../shared/errors.ts';
import { runOptionsSchema } from '../../protocol/run-request.ts';
import { parseDuration, parseTimeout } from '../../shared/duration.ts';
import { beginningOf, endOf } from '../../shared/excerpt.ts';
import { Secret, redactor } from '../../shared/secret.ts';
import { didYouMean, suggest } from '../../shared/suggest.ts';
import { isTreeFile } from '../../shared/tree-file.ts';

/** No state type has an attribute of that name, and assigning to it would set no attribute. */
const attributeName = fc.string().filter((name) => name !== '__proto__');

const attributes = fc.dictionary(
  attributeName,
  fc.oneof(fc.string(), fc.integer(), fc.boolean(), fc.constant(null), fc.array(fc.string())),
);

test('diff() of a thing with itself is null, whatever it holds', (t) => {
  fc.assert(fc.property(attributes, (state) => diff(state, state) === null));
  t.is(diff(null, null), null);
});

test('diff() tells creating, updating and removing apart', (t) => {
  const have: Attributes = { shell: '/bin/sh', home: '/home/a' };
  t.deepEqual(diff(null, have), { action: 'create', to: have });
  t.deepEqual(diff(have, null), { action: 'remove', from: have });
  t.deepEqual(diff(have, { shell: '/bin/bash' }), {
    action: 'update',
    from: have,
    to: { shell: '/bin/bash' },
  });
});

test('diff() compares only what is asked for, and lists by their items', (t) => {
  t.is(diff({ groups: ['a', 'b'], uid: 1 }, { groups: ['a', 'b'] }), null);
  t.deepEqual(diff<Attributes>({ groups: ['a'] }, { groups: ['b'] })?.action, 'update');
});

test('a change carried out leaves no difference', (t) => {
  t.notThrows(() =>
    fc.assert(
      fc.property(attributes, attributes, (have, want) => {
        const change = diff<Attributes>(have, want);
        const after: Record<string, Value> = { ...have };
        if (change?.action === 'update') Object.assign(after, change.to);
        return diff<Attributes>(after, want) === null;
      }),
    ),
  );
});

test('canonical JSON does not depend on the order of keys', (t) => {
  t.is(canonicalJson({ b: 1, a: [{ d: null, c: 'x' }] }), '{"a":[{"c":"x","d":null}],"b":1}');
});

test('a secret shows itself by no route but reveal()', (t) => {
  const secret = new Secret('hunter2');
  t.is(secret.reveal(), 'hunter2');
  for (const shown of [String(secret), JSON.stringify({ secret }), inspect({ secret })]) {
    t.false(shown.includes('hunter2'));
    t.true(shown.includes('***'));
  }
});

test('a redactor blanks every secret, the longest first, and each line of a long one', (t) => {
  const redact = redactor(
    ['pass', 'password', 'first line\nsecond line'],
    (text) => `${text.length}`,
  );
  t.is(redact('x=password y=pass'), 'x=secret(8) y=secret(4)');
  t.is(redact('-second line'), '-secret(22)');
});

test('a redactor leaves words alone that are too short to be secrets', (t) => {
  t.is(redactor(['a', ''], () => '0')('banana'), 'banana');
});

test('a redactor blanks a short secret where it stands alone', (t) => {
  const redact = redactor(['7-3'], () => '0');
  t.is(redact('pin 7-3, x=7-3; 17-3'), 'pin secret(0), x=secret(0); 17-3');
});

test('a redactor blanks a secret as programs write it down', (t) => {
  const secret = `it's 50% "x"\\`;
  const redact = redactor([secret], () => '0');
  const forms = [
    JSON.stringify({ secret }),
    String.raw`export P='it'\''s 50'\%' "x"\'`,
    String.raw`P='it'"'"'s 50% "x"\'`,
    String.raw`environment=P="it's 50%% "x"\"`,
    String.raw`PASSWORD 'it''s 50% "x"\\'`,
    String.raw`PASSWORD 'it''s 50% "x"\'`,
    String.raw`password "it\'s 50% \"x\"\\"`,
    `https://x/?p=${encodeURIComponent(secret)}`,
  ];
  for (const form of forms) t.regex(redact(form), /secret\(0\)/u, form);
  for (const form of forms) t.notRegex(redact(form), /50/u, form);
});

test('a redactor finds the lines of a secret without the spaces around them', (t) => {
  t.is(
    redactor(['line one\r\n  line two\n'], () => '0')('line one|line two'),
    'secret(0)|secret(0)',
  );
  t.is(redactor(['pa$$word$&'], () => '$1')('x pa$$word$& y'), 'x secret($1) y');
});

test('suggest() finds the word that was meant, and none that is far off', (t) => {
  t.is(suggest('instaled', ['installed', 'removed']), 'installed');
  t.is(suggest('slwo', ['fast', 'slow']), 'slow');
  t.is(suggest('xyzzy', ['installed', 'removed']), null);
  t.is(didYouMean('requier', ['require', 'watch']), ', did you mean "require"?');
  t.is(didYouMean('zzz', ['require']), '');
});

test('errors carry a code for programs and a message for people', (t) => {
  const cause = Object.assign(new Error('no such file'), { code: 'ENOENT' });
  const error = new ConductorError('HOST_FILE_FAILED', 'Cannot read "/x": it is gone', {
    cause,
    path: '/x',
  });
  t.is(error.code, 'HOST_FILE_FAILED');
  t.deepEqual(error.details, { path: '/x' });
  t.is(error.cause, cause);
  t.is(systemCode(cause), 'ENOENT');
  t.is(systemCode('text'), undefined);
  t.is(messageOf('plain'), 'plain');
});

test('a tree file is told from other argument values', (t) => {
  t.true(isTreeFile({ path: 'templates/a', sha256: '0', read: () => new Uint8Array() }));
  t.false(isTreeFile('templates/a'));
  t.false(isTreeFile(null));
});

test('an excerpt is cut between words, and keeps the last lines or the first words', (t) => {
  t.is(endOf('a\nb\nc\n', { lines: 2 }), 'b\nc');
  t.is(endOf('secret word end', { characters: 11 }), '… word end');
  t.is(beginningOf('one secret', 6), 'one …');
  t.is(beginningOf('one', 3), 'one');
});

function forSo(text: string): number {
  return parseDuration('--for', text);
}

test('times are read as people write them, or refused', (t) => {
  t.deepEqual(['90s', '2m', '1h', '7d'].map(forSo), [90, 120, 3600, 604_800]);
  for (const text of ['', '0', '90', '-1s', '1.5h', '1w', 'h', '36501d'])
    t.throws(() => forSo(text), {
      message: `Cannot read --for "${text}": write 90s, 30m, 1h or 7d, and 36500d at most`,
    });
});

test('a run may take a week at most', (t) => {
  t.is(parseTimeout('7d'), 604_800);
  t.throws(() => parseTimeout('169h'), {
    message: 'Cannot read --timeout "169h": write 90s, 30m, 1h or 7d, and 7d at most',
  });
  const { timeoutSeconds } = runOptionsSchema.shape;
  t.deepEqual(
    [604_800, 604_801].map((seconds) => timeoutSeconds.safeParse(seconds).success),
    [true, false],
  );
});
