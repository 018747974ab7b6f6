import test from 'ava';
import { testOnHosts } from '../hosts/on-hosts.ts';
import { LETTERS, parseCase } from './contract/case.ts';
import type { NamedCase } from './contract/case.ts';
import { liars } from './contract/liars.ts';
import type { Row } from './contract/matrix.ts';
import { examineTypes } from './contract/run-types.ts';

/** That the contract can fail: state types that lie about one clause each, and what they are caught for. */

const CAUGHT: Readonly<Record<string, RegExp>> = {
  'writes_in.dry_run': /\(a\): the dry run .* has written .*\/srv\/lies-seen/u,
  'writes_for.a_moment': /\(a\): the dry run .* has made [^]*\/run\/lies-seen/u,
  'foresees.wrongly': /\(a\): foresaw [^]*something else[^]*\nand made /u,
  'never.converges': /\(b\): failed \(STATE_NOT_CONVERGED/u,
  'says_it.converges': /\(b\): "after" exited with 2/u,
  'writes.always': /\(c\): a second run .* has written .*\/srv\/lies-seen/u,
  'changes.always': /\(c\): a second run /u,
  'sees.nothing': /\(d\): text: found unchanged, not text/u,
  'reads.otherwise': /\(e\): declaring what was read /u,
  'stumbles.over_itself': /\(g\): killed .* effect [^]*a lock stands there/u,
  'takes.anything': /\(h\): "[a-z]+" is not refused/u,
  'leaks_to.argv': /\(i\): [^]*"hunter2-xyzzy" was given to a program/u,
  'leaks_to.environment': /\(i\): [^]*"hunter2-xyzzy" was given to a program/u,
  'leaks_to.file': /\(i\): [^]*"hunter2-xyzzy" was written to \/srv\/lies-password/u,
  'leaks_to.report': /\(i\): [^]*"hunter2-xyzzy" stands in the report or the log/u,
  'refuses.late': /\(bad\): it is failed \(STATE_REFUSED.*and foreseen is would-change/u,
  'fails.half_way': /\(bad\): the failure has changed .*\/srv\/lies/u,
};

const WHOLE = `
about: a note that is brought about
declare: {name: shop, text: Hello, password: hunter2-xyzzy}
expect:
  change: {to: {text: Hello}}
  after: grep -q ^Hello /srv/lies/shop
disturb:
  text: echo other >/srv/lies/shop
undo:
  type: honest.absent
  declare: {name: shop, text: Hello}
  after: test ! -e /srv/lies/shop
reset: rm -rf /srv/lies /srv/lies-seen /srv/lies-password /srv/lies.lock
kill: false
secret: [hunter2-xyzzy]
`;

const FAILING = `
about: a note that is refused
declare: {name: shop, text: Hello}
expect: {fails: {code: STATE_REFUSED, message: it does not want to}}
reset: rm -rf /srv/lies
`;

const UNFORESEEN = FAILING.replace('want to}', 'want to, unforeseen: only writing tells}');

const WATCHED = WHOLE.replace('kill: false', 'kill: false\nwatch: true');

const KILLED = new Set(['honest.note', 'stumbles.over_itself']);

/** The same, but for an undoing that leaves the thing there. */
const NOT_UNDONE = WHOLE.replace('type: honest.absent', 'type: honest.note').replace(
  'text: Hello}\n  after',
  'text: Bye}\n  after',
);

function cases(): readonly NamedCase[] {
  const listed = [...liars.keys()].filter((type) => type !== 'honest.absent');
  const whole = listed.map((type) => ({
    type,
    name: 'whole',
    case: caseOf(textFor(type)),
  }));
  return [...whole, { type: 'honest.note', name: 'not-undone', case: caseOf(NOT_UNDONE) }];
}

function textFor(type: string): string {
  if (type === 'refuses.late') return FAILING;
  if (type === 'fails.half_way') return UNFORESEEN;
  if (type === 'reads.otherwise') return WHOLE.replace('change: {to: {text: Hello}}', '');
  if (type === 'writes_for.a_moment') return WATCHED;
  return KILLED.has(type) ? WHOLE.replace('kill: false', 'kill: true') : WHOLE;
}

function caseOf(text: string) {
  const read = parseCase(text);
  if (typeof read === 'string') throw new Error(read);
  return read;
}

const onHost = await testOnHosts(test);

onHost(
  'a state type that lies is caught, whatever it lies about; one that does not is not',
  async (t) => {
    t.timeout(600_000);
    const { rows, ended } = examineTypes({
      types: new Map([...liars].filter(([name]) => name !== 'honest.absent')),
      cases: cases(),
      entry: 'test/e2e/contract/liar-driver.ts',
      hosts: 1,
      log: (line) => t.log(line),
    });
    for (const type of Object.keys(CAUGHT)) {
      const row = await rows.get(type);
      t.deepEqual(uncaughtIn(row), [], row?.complaints.join('\n'));
    }
    t.deepEqual(uncaughtIn(await rows.get('honest.note')), []);
    await ended;
  },
);

/** What a type should have been caught for and was not, or the other way round. */
function uncaughtIn(row: Row | undefined): readonly string[] {
  if (row === undefined) return ['it was not examined'];
  const pattern = CAUGHT[row.type];
  if (pattern !== undefined)
    return row.complaints.some((one) => pattern.test(one)) ? [] : [String(pattern)];
  const kept = LETTERS.filter((clause) => row.cells.get(clause)?.is === 'kept').join('');
  const [first = '', ...others] = row.complaints;
  const isHonest =
    kept === 'abcdeghi' && others.length === 0 && first.startsWith('not-undone (f): ');
  return isHonest ? [] : [kept, first, ...others];
}
