import test from 'ava';
import { pauseRequest, pauseWords } from '../../shared/pause.ts';

test('what a pause says cannot act on a terminal', (t) => {
  t.is(pauseWords({ until: 'soon', why: 'a\u001b[2Jb' }), 'until soon: a\\x1b[2Jb');
});

test('a pause has an end that is not far, and a reason', (t) => {
  const most = 14 * 86_400;
  t.deepEqual(pauseRequest({ for: '2h', why: ' a move ' }, most), { seconds: 7200, why: 'a move' });
  t.is(pauseRequest({ for: '14d', why: 'x' }, most).seconds, most);
  const refused = [
    [{ why: 'x' }, /--for is missing: a pause has to end/u],
    [{ for: '2h' }, /--why is missing/u],
    [{ for: '2h', why: '  ' }, /--why is missing/u],
    [{ for: '15d', why: 'x' }, /--for 15d is too long: at most 14d/u],
    [{ for: '0', why: 'x' }, /Cannot read --for "0": write 90s/u],
    [{ for: '2h', why: 'x'.repeat(201) }, /--why has 201 characters: 200 are allowed/u],
  ] as const;
  for (const [given, message] of refused)
    t.throws(() => pauseRequest(given, most), { code: 'USAGE', message });
});
