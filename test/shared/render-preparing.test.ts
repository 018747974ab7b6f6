import test from 'ava';
import { renderPreparing } from '../../shared/render-preparing.ts';

test('what a minion does before its run begins is told as far as it is known', (t) => {
  t.is(renderPreparing({}), 'preparing: it asks the master for its part of the tree');
  t.is(
    renderPreparing({ files: { fetched: 3, of: 300 } }),
    'preparing: 3 of 300 files of its tree have come',
  );
});
