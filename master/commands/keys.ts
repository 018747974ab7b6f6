import type { Command } from 'commander';
import { z } from 'zod';
import { ConductorError } from '../../shared/errors.ts';
import { jsonText } from '../../shared/json-text.ts';
import { escapeControls } from '../../shared/log.ts';
import {
  groupedKeyAnswer,
  invitationAnswer,
  keyAnswer,
  keysAnswer,
  type KeyAnswer,
} from '../api/answers.ts';
import { readCommon, withCommon, type Context } from '../cli/context.ts';
import { parseDuration } from '../../shared/duration.ts';
import { collectGroups, parseMinionId, parsePublicKey } from '../cli/values.ts';
import { renderTable, renderTime } from '../render/table.ts';

const EXAMPLES = `
Examples:
  $ master keys invite --id 'web-*' --group appserver     # a join string for one new minion
  $ master keys accept web-01 --group appserver           # shows the fingerprint and asks
  $ master keys accept web-01 cdr1:…                      # accepts exactly this key`;

const groupsSchema = z.object({ group: z.array(z.string()).optional() });

export function addKeys(program: Command, context: Context): void {
  const keys = program
    .command('keys')
    .description('which minions may come')
    .addHelpText('after', EXAMPLES);
  addList(keys, context);
  addAccept(keys, context);
  addReject(keys, context);
  addAdd(keys, context);
  addInvite(keys, context);
}

function addList(keys: Command, context: Context): void {
  const list = keys.command('list').description('all keys, those that wait first');
  withCommon(list).action(async (options: unknown) => {
    const { client, json } = await readCommon(context, options);
    const answer = await client.get('/keys', keysAnswer);
    const { terminal } = context;
    if (json) return terminal.out(jsonText(answer));
    const { isTerminal } = terminal;
    const sorted = answer.keys.toSorted((a, b) => Number(isPending(b)) - Number(isPending(a)));
    const rows = sorted.map(({ id, state, groups, fingerprint, address, createdAt }) => [
      id,
      state,
      groups.join(',') || '-',
      fingerprint,
      address ?? '-',
      renderTime(createdAt, { isTerminal, now: terminal.now() }),
    ]);
    const names = ['minion', 'state', 'groups', 'fingerprint', 'address', 'first seen'];
    for (const line of renderTable(names, rows, terminal)) terminal.out(line);
  });
}

function addAccept(keys: Command, context: Context): void {
  const accept = keys
    .command('accept')
    .description('let a minion in; without a fingerprint it shows the one it has and asks')
    .argument('<minion>', 'its id')
    .argument('[fingerprint]', 'what "minion fingerprint" says there')
    .option('-g, --group <group>', 'a group to put it into (may be repeated)', collectGroups);
  withCommon(accept).action(async (id: string, given: string | undefined, options: unknown) => {
    const { group: groups } = groupsSchema.parse(options);
    const { client, json } = await readCommon(context, options);
    const path = `/keys/${encodeURIComponent(id)}`;
    const fingerprint = given ?? (await askFor(context, await client.get(path, keyAnswer)));
    const answer = await client.post(`${path}/accept`, { fingerprint, groups }, groupedKeyAnswer);
    tell(context, answer, { json });
  });
}

async function askFor({ terminal }: Context, { id, state, fingerprint, address }: KeyAnswer) {
  // An accepted one gets groups only, a revoked one is refused: nothing to look at.
  if (state === 'accepted' || state === 'revoked') return fingerprint;
  if (!terminal.canAsk) {
    const message = `Cannot ask about the key of "${id}": give its fingerprint, ${fingerprint}`;
    throw new ConductorError('USAGE', message);
  }
  terminal.out(`${id} at ${address ?? 'an unknown address'} has the key`);
  terminal.out(`  ${fingerprint}`);
  const answer = await terminal.ask('Does "minion fingerprint" say the same there? [y/N]');
  if (/^y(?:es)?$/iu.test(answer)) return fingerprint;
  throw new ConductorError('CANCELLED', `Nothing was done: the key of "${id}" was not accepted`);
}

function addReject(keys: Command, context: Context): void {
  const reject = keys
    .command('reject')
    .description('refuse a key that waits, revoke one that is accepted')
    .argument('<minion>', 'its id');
  withCommon(reject).action(async (id: string, options: unknown) => {
    const { client, json } = await readCommon(context, options);
    const path = `/keys/${encodeURIComponent(id)}/reject`;
    tell(context, await client.post(path, {}, keyAnswer), { json });
  });
  const remove = keys
    .command('delete')
    .description('forget a minion: it may come again as a stranger')
    .argument('<minion>', 'its id');
  withCommon(remove).action(async (id: string, options: unknown) => {
    const { client, json } = await readCommon(context, options);
    await client.delete(`/keys/${encodeURIComponent(id)}`);
    context.terminal.out(json ? jsonText({ id, deleted: true }) : `${id}: deleted`);
  });
}

function addAdd(keys: Command, context: Context): void {
  const add = keys
    .command('add')
    .description('accept a key before its minion has ever come')
    .argument('<minion>', 'its id')
    .argument('<public-key>', '64 hex digits')
    .option('-g, --group <group>', 'a group to put it into (may be repeated)', collectGroups);
  withCommon(add).action(async (id: string, publicKey: string, options: unknown) => {
    const { group: groups = [] } = groupsSchema.parse(options);
    const request = { id: parseMinionId(id), publicKey: parsePublicKey(publicKey), groups };
    const { client, json } = await readCommon(context, options);
    tell(context, await client.post('/keys', request, groupedKeyAnswer), { json });
  });
}

function addInvite(keys: Command, context: Context): void {
  const invite = keys
    .command('invite')
    .alias('join-string')
    .description('make a join string, by which one new minion is accepted at once')
    .option('--id <glob>', 'which ids may use it', '*')
    .option('-g, --group <group>', 'a group it will be in (may be repeated)', collectGroups)
    .option('--expires <time>', 'how long it is good for', '1h')
    .option('--address <host:port>', 'how the minion reaches this master')
    .addHelpText(
      'after',
      '\nOn the new minion:  $ minion join   (reads the string from its input)',
    );
  withCommon(invite).action(async (options: unknown) => {
    const { id, group, expires, address } = z
      .object({
        id: z.string(),
        group: z.array(z.string()).default([]),
        expires: z.string(),
        address: z.string().optional(),
      })
      .parse(options);
    const { client, json } = await readCommon(context, options);
    const expiresSeconds = parseDuration('--expires', expires);
    const request = { idGlob: id, groups: group, expiresSeconds, address };
    const answer = await client.post('/invitations', request, invitationAnswer);
    const { terminal } = context;
    warn(context, answer);
    if (json) return terminal.out(jsonText(answer));
    terminal.out(answer.joinString);
    terminal.err(`good for one minion until ${answer.expiresAt}; it is a secret until then`);
  });
}

function warn({ terminal }: Context, { warnings }: { readonly warnings: readonly string[] }): void {
  for (const warning of warnings) terminal.err(`warning: ${escapeControls(warning)}`);
}

function tell(
  context: Context,
  key: KeyAnswer & { readonly warnings?: readonly string[] },
  { json }: { json: boolean },
): void {
  const { terminal } = context;
  warn(context, { warnings: key.warnings ?? [] });
  if (json) return terminal.out(jsonText(key));
  const groups = key.groups.length === 0 ? '' : ` (${key.groups.join(', ')})`;
  terminal.out(`${key.id}: ${key.state}${groups}`);
}

function isPending({ state }: KeyAnswer): boolean {
  return state === 'pending';
}
