import test from 'ava';
import type { ExecutionContext } from 'ava';
import { shareOf } from '../../../language/share.ts';
import { fileAppend, filePrepend } from '../../../minion/state-types/files/file-append.ts';
import { fileBlockreplace } from '../../../minion/state-types/files/file-blockreplace.ts';
import { fileComment, fileUncomment } from '../../../minion/state-types/files/file-comment.ts';
import { fileDirectory } from '../../../minion/state-types/files/file-directory.ts';
import { fileKeyvalue } from '../../../minion/state-types/files/file-keyvalue.ts';
import { fileLine } from '../../../minion/state-types/files/file-line.ts';
import { fileReplace } from '../../../minion/state-types/files/file-replace.ts';
import { fileSerialize } from '../../../minion/state-types/files/file-serialize.ts';
import { fileTidied } from '../../../minion/state-types/files/file-tidied.ts';
import { strays } from '../../../minion/state-types/files/lib/below.ts';
import { PARTS } from '../../../minion/state-types/files/lib/elsewhere.ts';
import { chooser } from '../../../minion/state-types/files/lib/choose.ts';
import { unwantedBelow } from '../../../minion/state-types/files/lib/clean.ts';
import { compilePattern } from '../../../minion/state-types/files/lib/pattern.ts';
import { stateTypes } from '../../../minion/state-types/index.ts';
import type { StateType } from '../../../minion/engine/state-type.ts';
import type { FoundBelow } from '../../../minion/host/host.ts';
import { Secret } from '../../../shared/secret.ts';
import { isTreeDirectory, isTreeFile } from '../../../shared/tree-file.ts';
import { converge, dryRun, forReal } from '../../helpers/converge.ts';
import { fakeHost } from '../../helpers/fake-host.ts';
import type { FakeHost } from '../../helpers/fake-host.ts';
import { compileText, compileTree, toldBy, treeOf } from '../../helpers/tree.ts';

function hostWith(text: string | null): FakeHost {
  const root = { statuses: { '/': { kind: 'directory' } } } as const;
  return fakeHost(text === null ? root : { ...root, files: { '/x': text } });
}

/** What becomes of the text of a file; a second time nothing does. */
async function edited(
  t: ExecutionContext,
  type: StateType,
  text: string | null,
  args: object,
): Promise<string | null> {
  const host = hostWith(text);
  const declared = { name: '/x', ...args };
  await converge(type, declared, host, forReal);
  t.is((await converge(type, declared, host, forReal)).status, 'unchanged');
  return host.text('/x');
}

/** Why an edit is refused; the file is as it was. */
async function refusal(
  t: ExecutionContext,
  type: StateType,
  text: string | null,
  args: object,
): Promise<string> {
  const host = hostWith(text);
  const run = converge(type, { name: '/x', ...args }, host, forReal);
  const error = await t.throwsAsync(run, { code: 'STATE_REFUSED' });
  t.deepEqual(host.ran, []);
  return error.message.replace('Cannot edit "/x": ', '');
}

function mistakes(type: StateType, args: object): string[] {
  const { error } = type.schema.safeParse({ name: '/x', ...args });
  return (error?.issues ?? []).map(({ message }) => message);
}

test('what is appended ends the file, and is appended once', async (t) => {
  t.is(await edited(t, fileAppend, 'a', { text: ['b', 'c\nd'] }), 'a\nb\nc\nd\n');
  t.is(await edited(t, fileAppend, 'x  y\nz', { text: ' x y ' }), 'x  y\nz');
  t.is(
    await edited(t, fileAppend, 'x  y\n', { text: 'x y', ignore_whitespace: false }),
    'x  y\nx y\n',
  );
  t.is(await edited(t, fileAppend, 'foobar\n', { text: 'foo' }), 'foobar\nfoo\n');
  t.is(await edited(t, fileAppend, null, { text: 'a' }), 'a\n');
});

test('line ends and a byte order mark stay as they are', async (t) => {
  t.is(await edited(t, fileAppend, 'a\r\nb\r\n', { text: 'c\nd' }), 'a\r\nb\r\nc\r\nd\r\n');
  t.is(await edited(t, fileAppend, 'a\nb\r\n', { text: 'c' }), 'a\nb\r\nc\n');
  t.is(await edited(t, filePrepend, '\uFEFFa\n', { text: 'b', header: true }), '\uFEFFb\na\n');
  t.is(
    await edited(t, fileReplace, 'a = 1\r\nb\r\n', { pattern: '^a = 1$', repl: 'a = 2' }),
    'a = 2\r\nb\r\n',
  );
});

test('what is no text is not edited', async (t) => {
  for (const bytes of [Buffer.from('a\0b'), Buffer.from([0xe9, 0x0a])]) {
    const host = fakeHost({ files: { '/x': bytes } });
    const run = converge(fileAppend, { name: '/x', text: 'y' }, host, dryRun);
    await t.throwsAsync(run, { code: 'STATE_REFUSED', message: /it is no (?:UTF-8 )?text/ });
  }
});

test('what is prepended begins the file, as a header or wherever it is', async (t) => {
  t.is(await edited(t, filePrepend, 'a\nb\n', { text: ['x', 'b'] }), 'x\na\nb\n');
  t.is(await edited(t, filePrepend, 'a\nb\n', { text: 'b', header: true }), 'b\na\nb\n');
});

test('a pattern in the words of Python is understood', (t) => {
  t.is('key=1'.replace(compilePattern(String.raw`(?P<k>\w+)=(?P=k)?`), 'x'), 'x1');
  t.true(compilePattern(String.raw`(?i)\Aabc\Z`).test('ABC'));
  t.false(compilePattern(String.raw`\Aabc\Z`, 'm').test('x\nabc\n'));
  t.true(compilePattern(String.raw`\(\?P<`).test('(?P<'));
  t.regex(mistakes(fileReplace, { pattern: '(', repl: '' })[0] ?? '', /Unterminated group/);
  t.regex(mistakes(fileReplace, { pattern: '(?x)a', repl: '' })[0] ?? '', /\(\?x\) is not known/);
});

test('a replacement may refer to the groups that its pattern has, and to no other', (t) => {
  const pattern = '(?i)^(a)(?P<b>.)?';
  const said = (repl: string, more = {}) => mistakes(fileReplace, { pattern, repl, ...more });
  for (const repl of ['\\1\\2', '\\g<1>\\g<b>\\n', '\\g<0>', '\\\\3']) t.deepEqual(said(repl), []);
  for (const [repl, group] of [
    ['\\3', '3'],
    ['\\g<c>', 'c'],
    ['\\g<12>', '12'],
  ] as const)
    t.deepEqual(said(repl), [`refers to the group ${group}, which the pattern does not have`]);
  t.deepEqual(said('\\3', { backslash_literal: true }), []);
  t.is(mistakes(fileReplace, { pattern: '(', repl: '\\1' }).length, 1);
});

test('matches are replaced by what groups have caught', async (t) => {
  const swap = { pattern: '^(?P<a>\\w+) (\\w+)$', repl: '\\2\\t-\\g<a>' };
  t.is(await edited(t, fileReplace, 'one two\n', swap), 'two\t-one\n');
  const literal = { pattern: 'a.c', repl: '\\1 $& \\n', backslash_literal: true };
  t.is(await edited(t, fileReplace, 'abc', literal), '\\1 $& \\n');
  t.is(await edited(t, fileReplace, 'a a a', { pattern: 'a', repl: 'b', count: 0 }), 'b b b');
  const dot = { pattern: 'a.*c', repl: 'x', flags: ['DOTALL'] };
  t.is(await edited(t, fileReplace, 'a\nb\nc', dot), 'x');
  t.is(await edited(t, fileReplace, 'A', { pattern: 'a', repl: 'b', flags: 10 }), 'b');
  t.is(
    await edited(t, fileReplace, null, { pattern: 'a', repl: 'b', ignore_if_missing: true }),
    null,
  );
});

test('a replacement that would be replaced again is refused', async (t) => {
  const why = /would change its own result again/;
  t.regex(await refusal(t, fileReplace, 'a', { pattern: 'a', repl: 'aa' }), why);
  t.regex(await refusal(t, fileReplace, 'aaa', { pattern: 'a', repl: 'b', count: 1 }), why);
});

test('what nothing matches is added where that is asked for', async (t) => {
  const args = { pattern: '^#?Port .*', repl: 'Port 22' };
  t.is(await edited(t, fileReplace, 'a', args), 'a');
  t.is(await edited(t, fileReplace, 'a', { ...args, append_if_not_found: true }), 'a\nPort 22\n');
  const content = { ...args, prepend_if_not_found: true, not_found_content: 'x\ny' };
  t.is(await edited(t, fileReplace, 'a\n', content), 'x\ny\na\n');
});

test('a line is ensured, inserted, replaced and deleted', async (t) => {
  const line = (text: string | null, args: object) => edited(t, fileLine, text, args);
  const ensure = { mode: 'ensure', content: 'y', after: 'a' };
  t.is(await line('a\nb\n', ensure), 'a\ny\nb\n');
  t.is(await line('a\nb\ny\n', ensure), 'a\nb\ny\n');
  t.is(await line('y\na\nb\n', ensure), 'y\na\ny\nb\n');
  t.is(await line('a\nold\nb', { ...ensure, before: 'b' }), 'a\ny\nb');
  t.is(await line(' a\n', ensure), ' a\n y\n');
  t.is(await line(' a\n', { ...ensure, indent: false }), ' a\ny\n');
  t.is(await line('a\nb\n', { mode: 'insert', content: 'y', before: '^b$' }), 'a\ny\nb\n');
  t.is(await line('a\nb\n', { mode: 'insert', content: 'y', location: 'start' }), 'y\na\nb\n');
  t.is(await line('a\nb', { mode: 'insert', content: 'y', location: 'end' }), 'a\nb\ny');
  t.is(await line('\tp 1\np 2\n', { mode: 'replace', match: '^\\s*p', content: 'q' }), '\tq\nq\n');
  t.is(await line('ab\nb\nc\n', { mode: 'delete', content: 'b' }), 'c\n');
  t.is(await line('[ab]\n', { mode: 'delete', match: '[ab]' }), '');
  t.is(await line(null, { ...ensure, quiet: true }), null);
  t.is(await line('x\n', { ...ensure, quiet: true }), 'x\n');
});

test('a place for a line is one line', async (t) => {
  const ensure = { mode: 'ensure', content: 'y', after: 'a' };
  t.is(
    await refusal(t, fileLine, 'a\na\n', ensure),
    '2 lines are what `after` says, from line 1 on',
  );
  t.is(await refusal(t, fileLine, 'b\n', ensure), 'no line is what `after` says');
  t.regex(await refusal(t, fileLine, 'b\na\n', { ...ensure, before: 'b' }), /comes before what/);
  const between = { ...ensure, before: 'b' };
  t.regex(await refusal(t, fileLine, 'a\n1\n2\nb\n', between), /there are 2 lines already/);
  t.regex(await refusal(t, fileLine, null, ensure), /create: true makes it/);
  const either = { mode: 'delete', match: '[a]' };
  t.regex(await refusal(t, fileLine, '[a]\na\n', either), /change its own result again/);
  t.deepEqual(mistakes(fileLine, { mode: 'insert', content: 'y' }).length, 1);
  t.deepEqual(mistakes(fileLine, { mode: 'replace' }), ['needs `content`']);
  t.deepEqual(mistakes(fileLine, { mode: 'delete' }), ['needs `content`']);
});

test('lines become comments and are lines again', async (t) => {
  const args = { regex: '^b' };
  t.is(await edited(t, fileComment, 'a\n b\n# b\nbb', args), 'a\n #b\n# b\n#bb');
  t.is(await edited(t, fileUncomment, ' #b\n## b\n#a b\n', args), ' b\nb\n#a b\n');
  t.is(await edited(t, fileUncomment, '//b', { ...args, char: '//' }), 'b');
  t.is(await edited(t, fileComment, 'a', { ...args, ignore_missing: true }), 'a');
  t.regex(await refusal(t, fileComment, 'a\n', args), /no line matches \^b/);
  t.regex(await refusal(t, fileUncomment, 'a\n', args), /no line matches \^b/);
});

test('a block is what stands between its markers', async (t) => {
  const args = { marker_start: '# {', marker_end: '# }', content: 'x\r\ny\n' };
  t.is(await edited(t, fileBlockreplace, 'a\n # {\nold\n# }\nb', args), 'a\n # {\nx\ny\n# }\nb');
  const append = { ...args, append_if_not_found: true };
  t.is(await edited(t, fileBlockreplace, 'a', append), 'a\n# {\nx\ny\n# }');
  const before = { ...args, insert_before_match: '^b' };
  t.is(await edited(t, fileBlockreplace, 'a\nb\n', before), 'a\n# {\nx\ny\n# }\nb\n');
  const after = { ...args, insert_after_match: '^a' };
  t.is(await edited(t, fileBlockreplace, 'a\nb\n', after), 'a\n# {\nx\ny\n# }\nb\n');
  t.regex(await refusal(t, fileBlockreplace, 'a\n', args), /no such markers \(append/);
  t.regex(await refusal(t, fileBlockreplace, '# }\n', append), /end marker and no start/);
  t.regex(await refusal(t, fileBlockreplace, '# {\n', append), /line 1 has no end marker/);
  t.regex(await refusal(t, fileBlockreplace, '# {\n# {\n# }\n', append), /more than one start/);
  t.regex(await refusal(t, fileBlockreplace, '', { ...append, content: '# }' }), /holds a marker/);
});

test('settings keep their spaces, and a comment is only used where there is no line', async (t) => {
  const args = { key_values: { Port: 22 }, separator: ' ', uncomment: '#' };
  t.is(await edited(t, fileKeyvalue, '#Port 1\nPort   2\n', args), '#Port 1\nPort   22\n');
  t.is(await edited(t, fileKeyvalue, ' # Port 1\nPorts 2\n', args), ' Port 22\nPorts 2\n');
  const both = { key: 'a', value: true, separator: ' = ', append_if_not_found: true };
  t.is(await edited(t, fileKeyvalue, 'a=1\na = 2\nb=a', both), 'a=true\na = 2\nb=a');
  t.is(await edited(t, fileKeyvalue, 'a=1\na=2', { ...both, count: -1 }), 'a=true\na=true');
  t.is(await edited(t, fileKeyvalue, 'b=a', both), 'b=a\na = true');
  const anyCase = { key: 'A', value: 'YES', key_ignore_case: true, value_ignore_case: true };
  t.is(await edited(t, fileKeyvalue, 'a=yes \n', anyCase), 'a=yes \n');
  t.regex(await refusal(t, fileKeyvalue, 'b=1', { key: 'a', value: 1 }), /no line sets "a"/);
});

test('data is written in three formats, and over what is there', async (t) => {
  const json = { dataset: { b: { x: 1 }, a: [1] } };
  t.is(
    await edited(t, fileSerialize, null, json),
    '{\n  "a": [\n    1\n  ],\n  "b": {\n    "x": 1\n  }\n}\n',
  );
  const merge = { ...json, merge_if_exists: true, serializer_opts: [{ indent: 0 }] };
  t.is(
    await edited(t, fileSerialize, '{"b":{"y":2},"a":[7]}', merge),
    '{"a":[1],"b":{"x":1,"y":2}}\n',
  );
  t.is(
    await edited(t, fileSerialize, null, { dataset: { a: 'no' }, serializer: 'yaml' }),
    "a: 'no'\n",
  );
  const ini = { dataset: { top: 1, s: { a: '' } }, serializer: 'ini', merge_if_exists: true };
  t.is(
    await edited(t, fileSerialize, '[s]\na: 1\n; c\nb=2\n', ini),
    'top = 1\n\n[s]\na =\nb = 2\n',
  );
  t.is(await edited(t, fileSerialize, null, { ...json, create: false }), null);
  t.regex(await refusal(t, fileSerialize, '[1]', merge), /holds no mapping/);
  t.regex(await refusal(t, fileSerialize, '{', merge), /is no json/);
  const deep = { dataset: { s: { a: [1] } }, serializer: 'ini' };
  t.regex(await refusal(t, fileSerialize, null, deep), /"a" is no single value/);
});

test('what is not to be shown of an edit is told by its digest', async (t) => {
  const host = fakeHost({ files: { '/x': 'password=old' } });
  const args = { name: '/x', pattern: 'old', repl: 'new', show_changes: false };
  t.notRegex(JSON.stringify(await converge(fileReplace, args, host, dryRun)), /password/);
});

test('globs and expressions choose paths and all that is below them', (t) => {
  const chosen = chooser(['*.pyc', 'cache', 'E@^tmp[0-9]', '[!a]?']);
  for (const path of ['a/b.pyc', 'cache', 'cache/x/y', 'tmp1/x', 'bc/d'])
    t.true(chosen(path), path);
  for (const path of ['b.py', 'x/cache', 'tmp', 'ab', 'a.pycx']) t.false(chosen(path), path);
  t.false(chooser([])('a'));
});

function found(path: string, given: Partial<FoundBelow> = {}): FoundBelow {
  const times = { atimeMs: 0, mtimeMs: 0, ctimeMs: 0 };
  const owner = { uid: 0, gid: 0, user: 'root', group: 'root', mode: '0644' };
  return { path, kind: 'file', ...owner, ...times, size: 0, links: 1, inode: path, ...given };
}

test('what is cleaned is neither kept, nor below it, nor a directory for it', (t) => {
  const paths = ['a', 'a/b', 'a/b/c', 'a/x', 'gone', 'gone/y', 'k', 'k/z', 'soon'];
  const keeping = { kept: ['a/b', 'soon/new'], isExcluded: (path: string) => path === 'k/z' };
  t.deepEqual(
    unwantedBelow(
      paths.map((path) => found(path)),
      keeping,
    ),
    ['a/x', 'gone'],
  );
});

test('what is old or large enough goes, and directories that nothing stays in', async (t) => {
  const day = 86_400_000;
  const old = { mtimeMs: Date.now() - 40 * day };
  const fresh = { mtimeMs: Date.now() };
  const host = fakeHost({
    statuses: {
      '/d': { kind: 'directory' },
      '/d/a': { ...old, size: 10 },
      '/d/b': { ...fresh, size: 5000 },
      '/d/full': { ...old, kind: 'directory' },
      '/d/full/old': old,
      '/d/half': { ...old, kind: 'directory' },
      '/d/half/new': fresh,
      '/d/half/old': old,
      '/d/pipe': { ...old, kind: 'other' },
    },
  });
  const remains = async (args: object) => {
    const all = { name: '/d', time_comparison: 'mtime', ...args };
    const state = await fileTidied.read(fileTidied.schema.parse(all), host);
    return state?.['remains'];
  };
  t.deepEqual(await remains({ age: 30 }), ['a', 'full/old', 'half/old']);
  t.deepEqual(await remains({ age: 30, rmdirs: true }), ['a', 'full', 'half/old']);
  t.deepEqual(await remains({ age: 30, size: '1k' }), ['a', 'b', 'full/old', 'half/old']);
  t.deepEqual(await remains({ age: 30, size: '1k', age_size_logical_operator: 'and' }), []);
  t.deepEqual(await remains({ age: 30, depth: 0, exclude: '^a' }), []);
  t.deepEqual(await remains({ matches: ['/d/h'], full_path_match: true }), [
    'half/new',
    'half/old',
  ]);
});

const TYPES = { states: stateTypes };

test('a state may name values of the pillar', (t) => {
  const pillar = { certs: { 'a.b': { key: 'k\n' } }, list: ['x', 'y'] };
  const contents = (path: string) =>
    compileText(`f: {file.managed: {name: /x, contents_pillar: ${path}}}\n`, { ...TYPES, pillar })
      .declarations[0]?.args;
  t.like(contents('certs:a.b:key'), { contents_pillar: ['k\n'] });
  t.like(contents('list'), { contents_pillar: ['x', 'y'] });
  t.like(contents('["list:0", "list.1"]'), { contents_pillar: ['x', 'y'] });
  const told = toldBy(() => contents('certs:a.b:kay'));
  t.regex(told.join('\n'), /the pillar has no "certs:a\.b:kay"/);
});

test('texts that states gather reach the templates and blocks of their file', (t) => {
  const states = `
one: {file.accumulated: {name: paths, filename: /x, text: a}}
two: {file.accumulated: {name: paths, filename: /x, text: [b, c]}}
other: {file.accumulated: {name: paths, filename: /y, text: d}}
x: {file.managed: {name: /x, source: list.hbs}}
y: {file.blockreplace: {name: /y, content: own}}
`;
  const tree = {
    'states/web.yaml': states,
    'templates/list.hbs': '{{join accumulator.paths " "}}',
  };
  const { declarations } = compileTree(tree, TYPES);
  const args = Object.fromEntries(declarations.map((one) => [one.id, Object(one.args)]));
  t.is(Buffer.from(args['x'].source.read()).toString(), 'a b c');
  t.deepEqual(args['y'].accumulated, ['d']);
});

test('a directory that is cleaned knows what others bring about in it', (t) => {
  const { declarations } = compileText(
    `
d: {file.directory: {name: /d, clean: true}}
inside: {file.managed: {name: /d/a/b, contents: x}}
beside: {file.managed: {name: /dd/c, contents: x}}
`,
    TYPES,
  );
  const [directory] = declarations.filter(({ type }) => type === fileDirectory.name);
  t.like(directory?.args, { kept: ['a/b'] });
});

test('a recursion knows what others decide below it', (t) => {
  const { declarations } = compileText(
    `
d: {file.directory: {name: /d, user: bob, file_mode: "0644", recurse: [user, mode]}}
program: {file.managed: {name: /d/bin/run, mode: "0755"}}
shared: {file.directory: {name: /d/shared, group: web, dir_mode: "0770", recurse: [group, mode, ignore_files]}}
beside: {file.managed: {name: /dd/c, mode: "0755"}}
`,
    TYPES,
  );
  const args = declarations.find(({ id }) => id === 'd')?.args;
  t.deepEqual(Object(args)['elsewhere'], [
    { path: 'bin/run', isBelow: false, decides: ['mode of files', 'mode of directories'] },
    {
      path: 'shared',
      isBelow: false,
      decides: ['group of files', 'group of directories', 'mode of files', 'mode of directories'],
    },
    {
      path: 'shared',
      isBelow: true,
      decides: ['group of directories', 'mode of directories'],
    },
  ]);
});

const DECIDING = {
  'a copy': ['file.copy: {name: /d/x, source: /etc/y}', ['mode']],
  'a copy with all': ['file.copy: {name: /d/x, source: /etc/y, preserve: true}', PARTS],
  'a source on the host': ['file.managed: {name: /d/x, source: /etc/y}', ['mode']],
  'a link': ['file.symlink: {name: /d/x, target: /, user: bob}', ['owner']],
} as const;

test('a recursion leaves to others what these have from elsewhere', (t) => {
  const recursion = 'd: {file.directory: {name: /d, file_mode: "0644", recurse: [mode]}}\n';
  for (const [what, [declared, parts]] of Object.entries(DECIDING)) {
    const { declarations } = compileText(`${recursion}x: {${declared}}\n`, TYPES);
    const args = declarations.find(({ id }) => id === 'd')?.args;
    const [first] = Object(args)['elsewhere'];
    const expected = parts.flatMap((part) => [`${part} of files`, `${part} of directories`]);
    t.deepEqual(first?.decides, expected, what);
  }
});

const KEEPING = [
  ['file.append: {name: /d/x, text: "{{ pillar.key }}"}', '/d/x'],
  ['file.managed: {name: /elsewhere/x, contents_pillar: key}', '/elsewhere/x'],
  [
    'supervisor.program: {name: x, cmd: /x, env: {A: "{{ pillar.key }}"}}',
    '/etc/supervisor/conf.d/x.conf',
  ],
  [
    'redis.config: {name: /etc/redis/redis.conf, requirepass: "{{ pillar.key }}"}',
    '/etc/redis/redis.conf',
  ],
  [
    'cron.env_present: {name: A, user: bob, value: "{{ pillar.key }}"}',
    '/var/spool/cron/crontabs/bob',
  ],
] as const;

test('a recursion knows the files that hold secrets, wherever they are', (t) => {
  const pillar = { key: new Secret('hunter2') };
  for (const [declared, path] of KEEPING) {
    const { declarations } = compileText(
      `d: {file.directory: {name: /d, file_mode: "0644", recurse: [mode]}}\nx: {${declared}}\n`,
      { ...TYPES, pillar },
    );
    const args = declarations.find(({ id }) => id === 'd')?.args;
    t.deepEqual(Object(args)['secretFiles'], [path]);
  }
});

test('a secret keeps its mode under whatever path a recursion comes to it', async (t) => {
  const below = [standing('alias', 'file'), standing('other', 'file')].map((one, at) => ({
    ...one,
    inode: `1:${at}`,
  }));
  const statuses = {
    '/real': { kind: 'file', inode: '1:0' },
    '/link': { kind: 'symlink' },
  } as const;
  const host = fakeHost({
    statuses,
    commands: { 'realpath --canonicalize-missing -- /link': '/real\n' },
  });
  for (const secretFiles of [['/real'], ['/link'], ['/missing', '/real']]) {
    const all = await strays(below, { fileMode: '0644', secretFiles }, host);
    t.deepEqual(
      all.map(({ found: { path } }) => path),
      ['other'],
    );
  }
});

test('the owner of a checkout or environment is that of all that is in it', (t) => {
  for (const declared of [
    'git.latest: {name: https://x/y, target: /d/x, user: bob}',
    'virtualenv.managed: {name: /d/x, user: bob}',
  ]) {
    const { declarations } = compileText(
      `d: {file.directory: {name: /d, user: root, recurse: [user]}}\nx: {${declared}}\n`,
      TYPES,
    );
    const args = declarations.find(({ id }) => id === 'd')?.args;
    t.deepEqual(
      Object(args)['elsewhere'].map(({ path, isBelow }: { path: string; isBelow: boolean }) => [
        path,
        isBelow,
      ]),
      [
        ['x', false],
        ['x', true],
      ],
    );
  }
});

function standing(path: string, kind: 'file' | 'directory'): FoundBelow {
  return {
    path,
    kind,
    user: 'www',
    uid: 33,
    group: 'root',
    gid: 0,
    mode: '0700',
    size: 0,
    links: 1,
    inode: '1',
    mtimeMs: 0,
    atimeMs: 0,
    ctimeMs: 0,
  };
}

test('what others decide below a directory is no stray', async (t) => {
  const below = [standing('key', 'file'), standing('up', 'directory'), standing('up/a', 'file')];
  const elsewhere = [
    { path: 'key', isBelow: false, decides: ['mode of files' as const] },
    { path: 'up', isBelow: true, decides: ['owner of files' as const] },
  ];
  const asked = { user: 'root', fileMode: '0644', dirMode: '0700', elsewhere };
  const all = await strays(below, asked, fakeHost({ accounts: { root: { uid: 0 } } }));
  t.deepEqual(
    all.map(({ found: { path }, wanted }) => [path, wanted]),
    [
      ['key', { user: 'root' }],
      ['up', { user: 'root' }],
      ['up/a', { mode: '0644' }],
    ],
  );
});

const SITE = {
  'templates/site/a.conf': 'a',
  'templates/site/deep/b.conf.hbs': '{{n}}',
  'templates/sitemap': 'x',
};

test('a directory of the tree comes with its files, templates rendered', (t) => {
  const states = 'site: {file.recurse: {name: /s, source: salt://site/, context: {n: 1}}}\n';
  const tree = { 'states/web.yaml': states, ...SITE };
  const [declared] = compileTree(tree, TYPES).declarations;
  const { source } = Object(declared?.args);
  if (!isTreeDirectory(source)) throw new Error('no directory');
  t.deepEqual(
    source.files.map(({ to, file }) => [to, isTreeFile(file), Buffer.from(file.read()).toString()]),
    [
      ['a.conf', true, 'a'],
      ['deep/b.conf', true, '1'],
    ],
  );
  const twice = { ...tree, 'templates/site/deep/b.conf': 'b' };
  const told = toldBy(() => compileTree(twice, TYPES));
  t.regex(told.join('\n'), /holds both "deep\/b\.conf" and "deep\/b\.conf\.hbs"/);
});

function share(states: string): readonly string[] {
  const tree = treeOf({
    'states/top.yaml': 'base: {"*": [web]}\n',
    'states/web.yaml': states,
    ...SITE,
  });
  const manifest = shareOf(tree, { id: 'web1', groups: [] }, {}, []);
  return manifest.flatMap(({ path }) => (path.startsWith('templates/') ? [path] : []));
}

test('the files of a directory are sent to the minions that name it, and no others', (t) => {
  const all = ['templates/site/a.conf', 'templates/site/deep/b.conf.hbs'];
  t.deepEqual(share('s: {file.recurse: {name: /s, source: salt://site}}\n'), all);
  t.deepEqual(share('s: {file.recurse: [{name: /s}, {source: site/deep/}]}\n'), all.slice(1));
  t.deepEqual(share('site: {pkg.installed: {}}\n'), []);
});

test('arguments that ask for nothing are taken', (t) => {
  const text =
    'x: {file.replace: {name: /x, pattern: a, repl: b, bufsize: file}}\ny: {file.touch: {name: /y, atime: false}}\n';
  t.is(compileText(text, TYPES).declarations.length, 2);
});

test('arguments that have no place here say why', (t) => {
  const told = toldBy(() => compileText('x: {file.touch: {name: /x, atime: 1}}\n', TYPES));
  t.regex(told.join('\n'), /"atime" of file\.touch is not taken: a file is read all the time/);
});

/** What a report says of an edit that changes nothing. */
async function doubtOf(type: StateType, text: string, args: object): Promise<string> {
  const result = await converge(type, { name: '/x', ...args }, hostWith(text), forReal);
  return result.status === 'unchanged' ? (result.says ?? '') : result.status;
}

test('an edit that finds nothing to replace, and nothing replaced, says so', async (t) => {
  const replace = { mode: 'replace', match: 'port', content: 'port 2222' };
  const none = 'no line matches "port", so nothing is replaced';
  t.is(await doubtOf(fileLine, 'a\n', replace), none);
  t.is(await doubtOf(fileLine, 'port 2222\n', replace), '', 'it is replaced');
  t.is(await doubtOf(fileLine, 'a\n', { mode: 'delete', match: 'port' }), '', 'it is gone');
  t.is(await doubtOf(fileLine, 'a\n', { ...replace, show_changes: false }), '');

  const nothing = 'nothing matches "^old=(.*)$", so nothing is replaced';
  const swap = { pattern: '^old=(.*)$', repl: String.raw`new=\1` };
  t.is(await doubtOf(fileReplace, 'a\n', swap), nothing);
  t.is(await doubtOf(fileReplace, 'new=1\n', swap), '');
  t.is(await doubtOf(fileReplace, 'a\n', { ...swap, repl: '' }), '', 'nothing tells');
});
