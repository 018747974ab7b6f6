import test from 'ava';
import { mkdir, mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { durationSchema, minionConfigSchema } from '../../minion/config-schema.ts';
import { idOfHost, readConfig } from '../../minion/config.ts';

async function config(
  text: string,
  more: {
    flags?: Record<string, string>;
    environment?: Record<string, string>;
    extra?: string;
  } = {},
) {
  const file = join(await mkdtemp(join(tmpdir(), 'conductor-config-')), 'minion.yaml');
  await writeFile(file, text);
  if (more.extra !== undefined) {
    await mkdir(file.replace('.yaml', '.d'));
    await writeFile(file.replace('minion.yaml', 'minion.d/10-site.yaml'), more.extra);
  }
  return readConfig({ file, flags: more.flags ?? {}, environment: more.environment ?? {} });
}

test('an empty file gives the defaults, and the host name as the id', async (t) => {
  const got = await config('');
  t.like(got, {
    master: [],
    state_directory: '/var/lib/conductor/minion',
    socket: '/run/conductor/minion.sock',
    refresh: { every: 86_400, at: null, splay: 3600 },
    trust_on_first_use: false,
    min_version: 1,
    log_level: 'info',
  });
  t.regex(got.id, /^[a-z0-9]/u);
});

test('flags beat the environment, which beats minion.d, which beats minion.yaml', async (t) => {
  const got = await config('id: file\nlog_level: debug\nmaster: a:1\nstate_directory: /a\n', {
    extra: 'id: site\nlog_level: warn\nstate_directory: /b\n',
    environment: { CONDUCTOR_MINION_ID: 'env', CONDUCTOR_MINION_LOG_LEVEL: 'error', OTHER: 'x' },
    flags: { id: 'flag' },
  });
  t.like(got, { id: 'flag', log_level: 'error', state_directory: '/b', master: ['a:1'] });
});

test('every mistake is told at once, with its place and a suggestion', async (t) => {
  const error = await t.throwsAsync(
    config('mastr: a:1\nlog_level: loud\nrefresh:\n  evry: 1h\n  at: 25:00\nid: Not An Id\n', {
      environment: { CONDUCTOR_MINION_SOKET: '/x' },
    }),
    { code: 'CONFIG_INVALID' },
  );
  t.regex(error.message, /minion\.yaml:1:1: unknown key "mastr", did you mean "master"\?/u);
  t.regex(error.message, /minion\.yaml:2:1: log_level: Invalid option/u);
  t.regex(error.message, /minion\.yaml:4:3: unknown key "refresh\.evry", did you mean "every"\?/u);
  t.regex(error.message, /minion\.yaml:5:3: refresh\.at: expected a time such as "02:30"/u);
  t.regex(error.message, /minion\.yaml:6:1: id: is not a minion id/u);
  t.regex(error.message, /CONDUCTOR_MINION_SOKET: unknown setting, did you mean/u);
});

test('a file that is not there, or not YAML, is an error when it was asked for', async (t) => {
  await t.throwsAsync(readConfig({ file: '/nonexistent.yaml', flags: {}, environment: {} }), {
    code: 'CONFIG_INVALID',
    message: /no such file/u,
  });
  await t.throwsAsync(config('a: [1'), {
    code: 'CONFIG_INVALID',
    message: /minion\.yaml:\d+:\d+/u,
  });
});

test('durations and masters are read in every written form', (t) => {
  t.is(durationSchema.parse('90s'), 90);
  t.is(durationSchema.parse('24h'), durationSchema.parse('1d'));
  t.false(durationSchema.safeParse('soon').success);
  t.deepEqual(minionConfigSchema.parse({ master: ['wss://[::1]:1', 'b:2'] }).master, [
    'wss://[::1]:1',
    'b:2',
  ]);
  t.is(minionConfigSchema.parse({ refresh: { every: 'never' } }).refresh.every, 'never');
});

test('a host name that cannot be an id asks for one', (t) => {
  t.is(idOfHost('Web-01'), 'web-01');
  t.throws(() => idOfHost('my_host_'), { code: 'CONFIG_INVALID', message: /set "id"/u });
});
