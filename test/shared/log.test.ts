import test from 'ava';
import { jsonText } from '../../shared/json-text.ts';
import { createLogger, escapeControls, harmless, logFormat } from '../../shared/log.ts';
import { Secret } from '../../shared/secret.ts';

function collected(format: 'json' | 'journal', level: 'debug' | 'info' | 'warn' = 'info') {
  const lines: string[] = [];
  const log = createLogger({
    name: 'master',
    level,
    format,
    write: (line) => lines.push(line),
    now: () => new Date(0),
  });
  return { log, lines };
}

test('writes one JSON object a line, with the fields of its ancestors', (t) => {
  const { log, lines } = collected('json');
  log.child({ minion: 'web-01' }).child({ job: 'j' }).info({ id: 'x' }, 'State changed');
  t.is(lines.length, 1);
  t.deepEqual(JSON.parse(lines[0] ?? ''), {
    time: '1970-01-01T00:00:00.000Z',
    level: 'info',
    name: 'master',
    message: 'State changed',
    minion: 'web-01',
    job: 'j',
    id: 'x',
  });
});

test('keeps silent below its level', (t) => {
  const { log, lines } = collected('json', 'warn');
  log.debug({}, 'A');
  log.info({}, 'B');
  log.warn({}, 'C');
  log.error({}, 'D');
  t.deepEqual(
    lines.map((line) => line.match(/"message":"(.)"/u)?.[1]),
    ['C', 'D'],
  );
});

test('writes the syslog level and readable fields for the journal', (t) => {
  const { log, lines } = collected('journal', 'debug');
  log.error({ minion: 'web-01', why: 'a b', none: undefined }, 'Session ended');
  log.debug({ n: 3 }, 'Read');
  t.deepEqual(lines, ['<3>Session ended minion=web-01 why="a b"\n', '<7>Read n=3\n']);
});

test('no value can forge a line or move a cursor', (t) => {
  for (const format of ['json', 'journal'] as const) {
    const { log, lines } = collected(format);
    log.info({ said: 'x\n<0>forged\u001b[2J\u009b' }, 'Heard');
    t.is(lines.length, 1);
    t.is(lines[0], `${escapeControls(lines[0]?.slice(0, -1) ?? '')}\n`);
  }
  t.is(escapeControls('a\tb'), 'a\\x09b');
});

test('JSON stays JSON of the same value, without a control character', (t) => {
  const said = 'x\n\u001b[2J\u007f\u009b2J\u2028';
  const { log, lines } = collected('json');
  log.info({ said }, 'Heard');
  t.is(JSON.parse(lines[0] ?? '').said, said);
  t.is(JSON.parse(jsonText({ said })).said, said);
  t.notRegex(jsonText({ said }), /\p{Cc}|\u2028/u);
});

test('shows an error with its stack and a secret not at all', (t) => {
  const { log, lines } = collected('json');
  log.error({ error: new TypeError('boom'), password: new Secret('hunter2') }, 'Failed');
  t.regex(lines[0] ?? '', /"message":"boom","stack":"TypeError: boom/u);
  t.notRegex(lines[0] ?? '', /hunter2/u);
});

test('the journal is recognised by its environment variable', (t) => {
  t.is(logFormat({ JOURNAL_STREAM: '8:1' }), 'journal');
  t.is(logFormat({}), 'json');
});

test('text that turns its direction is shown as what it is, and stays the same value in JSON', (t) => {
  const said = 'ok\u202eko \u2066x\u2069 \u200f\u061c';
  t.is(escapeControls(said), 'ok\\x202eko \\x2066x\\x2069 \\x200f\\x61c');
  t.notRegex(jsonText({ said }), /\p{Bidi_Control}/u);
  t.is(JSON.parse(jsonText({ said })).said, said);
});

test('on a terminal nothing acts but colours, ends of lines and tabs', (t) => {
  const colours = '\u001b[1m\u001b[31mred\u001b[39m\u001b[22m\tand\nnext';
  t.is(harmless(colours), colours);
  t.is(harmless('\u001b[2Jgone\u202e\u0007\r'), '\\x1b[2Jgone\\x202e\\x07\\x0d');
});
