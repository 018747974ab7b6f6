import test from 'ava';
import { nextWall, parseCron } from '../../../shared/schedule/cron.ts';
import type { Cron } from '../../../shared/schedule/cron.ts';
import { nextInstant } from '../../../shared/schedule/schedule.ts';
import {
  firstInstantOf,
  instantsOf,
  LOCAL_ZONE,
  namedZone,
} from '../../../shared/schedule/zone.ts';
import type { Zone } from '../../../shared/schedule/zone.ts';

function cronOf(text: string): Cron {
  const messages: string[] = [];
  const cron = parseCron(text, (message) => messages.push(message));
  if (cron === null) throw new Error(messages.join());
  return cron;
}

/** The next times on the wall, as `2026-01-01T00:00`. */
function due(text: string, after: string, count: number): string[] {
  const cron = cronOf(text);
  const found: string[] = [];
  let wall = nextWall(cron, Date.parse(`${after}Z`));
  while (wall !== null && found.length < count) {
    found.push(new Date(wall).toISOString().slice(0, 16));
    wall = nextWall(cron, wall);
  }
  return found;
}

const CASES: readonly (readonly [cron: string, after: string, due: readonly string[]])[] = [
  ['30 2 * * mon-fri', '2026-11-27T02:30', ['2026-11-30T02:30', '2026-12-01T02:30']],
  [
    '*/20 1-2 * * *',
    '2026-01-01T01:10',
    ['2026-01-01T01:20', '2026-01-01T01:40', '2026-01-01T02:00'],
  ],
  [
    '5/25 0 * * *',
    '2026-01-01T00:00',
    ['2026-01-01T00:05', '2026-01-01T00:30', '2026-01-01T00:55'],
  ],
  [
    '0 0,12 1 jan,JUL *',
    '2026-01-01T00:00',
    ['2026-01-01T12:00', '2026-07-01T00:00', '2026-07-01T12:00'],
  ],
  ['0 4 29 2 *', '2026-01-01T00:00', ['2028-02-29T04:00', '2032-02-29T04:00']],
  ['0 4 29 2 *', '2096-03-01T00:00', ['2104-02-29T04:00']],
  [
    '0 0 13 * fri',
    '2026-02-01T00:00',
    ['2026-02-06T00:00', '2026-02-13T00:00', '2026-02-20T00:00'],
  ],
  ['0 0 31 * *', '2026-02-01T00:00', ['2026-03-31T00:00', '2026-05-31T00:00']],
  ['0 0 */2 * sun', '2026-02-01T00:00', ['2026-02-15T00:00', '2026-03-01T00:00']],
  ['0 0 * * 7', '2026-11-29T00:00', ['2026-12-06T00:00']],
  ['0 0 * * 5-7', '2026-11-29T00:00', ['2026-12-04T00:00', '2026-12-05T00:00', '2026-12-06T00:00']],
  ['0 22-23/1 * * sat-sat', '2026-11-29T00:00', ['2026-12-05T22:00', '2026-12-05T23:00']],
  ['59 23 31 12 *', '2026-01-01T00:00', ['2026-12-31T23:59', '2027-12-31T23:59']],
  ['@weekly', '2026-11-29T00:00', ['2026-12-06T00:00']],
  ['@hourly', '2026-11-29T23:00', ['2026-11-30T00:00']],
  ['0 0 30 2 *', '2026-01-01T00:00', []],
  ['0 0 31 4,6,9,11 *', '2026-01-01T00:00', []],
];

for (const [cron, after, expected] of CASES) {
  test(`"${cron}" after ${after}`, (t) => {
    t.deepEqual(due(cron, after, Math.max(expected.length, 1)), [...expected]);
  });
}

const WRONG: readonly (readonly [cron: string, says: RegExp])[] = [
  ['', /has 1 fields, not five/u],
  ['0 0 * *', /has 4 fields, not five/u],
  ['60 0 * * *', /minute "60": 60 is not between 0 and 59/u],
  ['0 24 * * *', /hour "24": 24 is not between 0 and 23/u],
  ['0 0 0 * *', /day of the month "0": 0 is not between 1 and 31/u],
  ['0 0 * 13 *', /month "13"/u],
  ['0 0 * * 8', /day of the week "8"/u],
  ['0 0 * * mom', /"mom" is no day of the week, did you mean "mon"\?/u],
  ['0 0 * * fri-mon', /"fri-mon" runs backwards: write fri-sat,sun-mon/u],
  ['0 0 L * *', /"L" is no day of the month: expected 1-31/u],
  ['*/0 0 * * *', /a step of 0 goes nowhere/u],
  ['1-2-3 0 * * *', /"1-2-3" is neither/u],
  ['1, 0 * * *', /"" is neither a value, nor a range, nor a step/u],
  ['1/2/3 0 * * *', /"1\/2\/3" is neither/u],
  ['-5 0 * * *', /"-5" is neither/u],
  ['@dialy', /"@dialy" is unknown, did you mean "@daily"\?/u],
];

for (const [cron, says] of WRONG) {
  test(`"${cron}" is refused`, (t) => {
    const messages: string[] = [];
    t.is(
      parseCron(cron, (message) => messages.push(message)),
      null,
    );
    t.regex(messages.join('\n'), says);
  });
}

function zoneOf(name: string): Zone {
  const zone = namedZone(name);
  if (zone === null) throw new Error(name);
  return zone;
}

/** The next instants in UTC. */
function instants(text: string, timezone: string, after: string, count: number): string[] {
  const cron = cronOf(text);
  const found: string[] = [];
  let at = Date.parse(after);
  while (found.length < count) {
    at = nextInstant(cron, zoneOf(timezone), at) ?? Number.NaN;
    found.push(new Date(at).toISOString().slice(0, 16));
  }
  return found;
}

test('a time that summer time leaves out comes when the clocks go on', (t) => {
  // In Israel the clocks went from 02:00 to 03:00 on 27 March 2026.
  t.deepEqual(instants('30 2 * * *', 'Asia/Jerusalem', '2026-03-25T22:00:00Z', 3), [
    '2026-03-26T00:30',
    '2026-03-27T00:00',
    '2026-03-27T23:30',
  ]);
  t.deepEqual(instants('0,20,40 2 * * *', 'Asia/Jerusalem', '2026-03-26T12:00:00Z', 2), [
    '2026-03-27T00:00',
    '2026-03-27T23:00',
  ]);
});

test('a time that the end of summer time repeats comes once', (t) => {
  // On 25 October 2026 the clocks went from 02:00 back to 01:00.
  t.deepEqual(instants('30 1 * * *', 'Asia/Jerusalem', '2026-10-24T12:00:00Z', 2), [
    '2026-10-24T22:30',
    '2026-10-25T23:30',
  ]);
  t.deepEqual(
    instants('30 1 * * *', 'Asia/Jerusalem', '2026-10-24T22:45:00Z', 1),
    ['2026-10-25T23:30'],
    'not even if it is asked between the two',
  );
});

test('what is due every hour goes by hours that pass', (t) => {
  t.deepEqual(instants('0 * * * *', 'Europe/London', '2026-10-24T23:30:00Z', 4), [
    '2026-10-25T00:00',
    '2026-10-25T01:00',
    '2026-10-25T02:00',
    '2026-10-25T03:00',
  ]);
  t.deepEqual(instants('0 * * * *', 'Europe/London', '2026-03-28T23:30:00Z', 3), [
    '2026-03-29T00:00',
    '2026-03-29T01:00',
    '2026-03-29T02:00',
  ]);
  t.is(
    instants('*/10 * * * *', 'Europe/London', '2026-10-25T00:05:00Z', 12).at(-1),
    '2026-10-25T02:00',
  );
});

test('a day that a zone has left out has no times, and what is due on it comes after it', (t) => {
  // Samoa went from 29 to 31 December 2011.
  const apia = zoneOf('Pacific/Apia');
  const noon = Date.UTC(2011, 11, 30, 12);
  t.deepEqual(instantsOf(apia, noon), []);
  t.is(new Date(firstInstantOf(apia, noon)).toISOString(), '2011-12-30T10:00:00.000Z');
});

test('a wall time that is repeated has two instants, an hour apart', (t) => {
  const [first = 0, second = 0] = instantsOf(zoneOf('Europe/London'), Date.UTC(2026, 9, 25, 1, 30));
  t.is(second - first, 3_600_000);
  t.is(new Date(first).toISOString(), '2026-10-25T00:30:00.000Z');
});

test("the machine's own zone agrees with its clock, and names are known from what is none", (t) => {
  for (const month of [0, 6]) {
    const date = new Date(2026, month, 15, 13, 45, 7);
    t.is(LOCAL_ZONE.wallOf(date.getTime()), Date.UTC(2026, month, 15, 13, 45, 7));
  }
  t.is(namedZone('Asia/Jeruslem'), null);
  t.is(zoneOf('Asia/Kathmandu').wallOf(0) / 60_000, 330, 'it was another one in 1970');
});
