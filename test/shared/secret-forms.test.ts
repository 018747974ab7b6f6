import { Buffer } from 'node:buffer';
import { execFileSync } from 'node:child_process';
import test from 'ava';
import { encodedForms, writtenForms } from '../../shared/secret-forms.ts';
import { redactor } from '../../shared/secret.ts';

const SECRET = `Grüße <a&b> "it's" 100% $x\\y/z!`;
const redact = redactor([SECRET], () => '0');

test('a secret is found as programs write it down', (t) => {
  for (const written of [
    JSON.stringify({ SECRET }),
    // Python's json, and what Go and Django put into pages.
    String.raw`Gr\u00fc\u00dfe <a&b> \"it's\" 100% $x\\y/z!`,
    String.raw`Gr\u00fc\u00dfe \u003ca\u0026b\u003e \"it\u0027s\" 100% $x\\y/z!`,
    String.raw`Gr\u00fc\u00dfe <a&b> \"it's\" 100% $x\\y\/z!`,
    `Grüße &lt;a&amp;b&gt; "it's" 100% $x\\y/z!`,
    `Grüße &lt;a&amp;b&gt; &quot;it&#x27;s&quot; 100% $x\\y/z!`,
    `Grüße &lt;a&amp;b&gt; &#34;it&#39;s&#34; 100% $x\\y/z!`,
    encodeURIComponent(SECRET),
    new URLSearchParams({ a: SECRET }).toString(),
    encodeURIComponent(SECRET)
      .replaceAll('!', '%21')
      .replaceAll("'", '%27')
      .toLowerCase()
      .replace('gr', 'Gr'),
    `Grüße <a&b> "it''s" 100% $x\\\\y/z!`,
  ])
    t.regex(redact(written), /secret\(0\)/u, written);
});

test('a secret is found as the shell of this machine quotes it', (t) => {
  for (const script of ['printf %q "$1"', 'printf %s "${1@Q}"']) {
    const env = { PATH: '/usr/bin:/bin', LC_ALL: 'C.UTF-8' };
    const said = execFileSync('bash', ['-c', script, 'bash', SECRET], { encoding: 'utf8', env });
    t.regex(redact(said), /^'?secret\(0\)'?$/u, said);
  }
});

test('a secret is found in base64 and hexadecimal digits, alone and within something longer', (t) => {
  const hide = redactor(['hunter2-xyzzy'], () => '0');
  for (const before of ['', 'a', 'ab', 'robot:', 'somebody:']) {
    const bytes = Buffer.from(`${before}hunter2-xyzzy and so on`);
    for (const form of ['base64', 'base64url', 'hex'] as const)
      t.regex(hide(bytes.toString(form)), /secret\(0\)/u, `${form} behind "${before}"`);
  }
  t.regex(hide(Buffer.from('hunter2-xyzzy').toString('hex').toUpperCase()), /^secret\(0\)$/u);
});

test('what is too short, or needs no quotes, has no forms', (t) => {
  t.deepEqual(encodedForms('hunter2'), []);
  t.deepEqual(writtenForms('hunter2-xyzzy'), []);
  t.false(writtenForms(SECRET).includes(SECRET));
  t.true(encodedForms('hunter2-xyzzy').every((form) => form.length >= 16));
});
