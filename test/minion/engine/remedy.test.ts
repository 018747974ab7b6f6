import test from 'ava';
import { ConductorError } from '../../../shared/errors.ts';
import type { ErrorCode } from '../../../shared/errors.ts';
import { declare, run, toyWorld } from '../../helpers/toy-world.ts';
import type { ToyDeclaration } from '../../helpers/toy-world.ts';

interface Failing {
  readonly code?: ErrorCode;
  readonly details?: Readonly<Record<string, unknown>>;
  /** By default a file. */
  readonly own?: ToyDeclaration;
}

const OWN = '/srv/shop/site.conf';

/** What a dry run says of a state that fails behind another that would change: only how it ends. */
async function behind(
  earlier: string,
  type: string,
  { code = 'STATE_REFUSED', details = {}, own = {} }: Failing = {},
): Promise<string> {
  const world = toyWorld();
  world.interfere = (what) => {
    if (what === `read ${OWN}`) throw new ConductorError(code, 'Cannot make it', details);
  };
  const catalog = [declare(earlier, { type }), declare(OWN, { type: 'file.toy', ...own })];
  const { outcome } = await run(catalog, { world, dryRun: true });
  return outcome(OWN).status;
}

test('what has nothing to do with a failure does not hide it', async (t) => {
  t.is(await behind('/etc/motd', 'file.toy'), 'failed');
  t.is(await behind('a', 'other.kind'), 'failed');
  t.is(await behind('a', 'toy.mute'), 'failed');
});

test('what has to do with the same things may mend it, and so may programs', async (t) => {
  t.is(await behind('shop/site.conf', 'toy.provider'), 'unknown');
  t.is(await behind('/srv', 'file.toy'), 'unknown', 'above it');
  t.is(await behind(`${OWN}/x`, 'file.toy'), 'unknown', 'below it');
  t.is(await behind('/srv/shop/other.conf', 'file.toy'), 'unknown', 'beside it');
  t.is(await behind('shop', 'toy.provider'), 'unknown', 'above it, of another module');
  t.is(await behind('shop', 'toy.taker'), 'unknown', 'taken away');
  t.is(await behind('a', 'toy.open'), 'unknown');
  t.is(await behind('a', 'toy.hidden'), 'unknown');
  const details = { path: '/etc/ssl/shop.key' };
  t.is(await behind('/etc/ssl/shop.key', 'file.toy', { details }), 'unknown');
  const own = { requires: { require: ['/etc/motd'] } };
  t.is(await behind('/etc/motd', 'file.toy', { own }), 'unknown', 'its author says so');
  const mute = { type: 'toy.mute' };
  t.is(await behind('a', 'toy.mute', { own: mute }), 'unknown', 'of one module');
});

test('what a command said may hang on any file', async (t) => {
  for (const code of ['CHECK_FAILED', 'COMMAND_FAILED', 'COMMAND_TIMEOUT'] as const)
    t.is(await behind('/etc/motd', 'file.toy', { code }), 'unknown', code);
  t.is(await behind('/etc/motd', 'file.toy', { details: { lacks: null } }), 'unknown');
});

test('programs of others clear nothing out of the way, commands may', async (t) => {
  const details = { inTheWay: [`path:${OWN}`] };
  t.is(await behind('a', 'toy.open', { details }), 'failed');
  t.is(await behind('a', 'toy.hidden', { details }), 'unknown');
  t.is(await behind('shop', 'toy.taker', { details }), 'unknown');
  t.is(await behind('/srv/shop/other.conf', 'file.toy', { details }), 'failed');
});

test('where nothing is missing, only a state of its kind helps, for a file one of the same file', async (t) => {
  const details = { lacks: [] };
  t.is(await behind('a', 'toy.open', { details }), 'failed');
  t.is(await behind('a', 'toy.hidden', { details }), 'unknown');
  t.is(await behind('/etc/motd', 'file.toy', { details }), 'failed');
  t.is(await behind('/srv/shop', 'file.toy', { details }), 'unknown');
});
