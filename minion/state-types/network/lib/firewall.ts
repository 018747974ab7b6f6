import { createHash } from 'node:crypto';
import { ConductorError, messageOf } from '../../../../shared/errors.ts';
import type { Host, HostView } from '../../../host/host.ts';
import { lastWords } from '../../lib/ask.ts';
import { RULES, isPersisted, keepForBoot, textOf } from './firewall-boot.ts';
import { EMPTY, parseRuleset, renderRuleset } from './firewall-rules.ts';
import type { Ruleset } from './firewall-rules.ts';

const MARK = 'firewall';
const TOPIC = 'firewall';
const PENDING = 'pending';

/** What brings the rules back if this run dies between loading them and knowing that they do no harm. */
const BACK = '/run/conductor-firewall-back.nft';
const BACK_UNIT = 'conductor-firewall-back';
const BACK_SECONDS = 60;
const REACH_MS = 20_000;
const POLL_MS = 500;

/** What every state of the firewall needs. */
export const FIREWALL_NEEDS = ['package:nftables', 'path:/etc/conductor'];

export interface Firewall extends Ruleset {
  /** A run has died between loading rules and knowing that they do no harm. */
  readonly pending: boolean;
  /** The kernel has what the file says. */
  readonly loaded: boolean;
  /** The file is loaded when the machine starts. */
  readonly persisted: boolean;
}

/** The firewall as it is: one look for all rules, until `replaceRuleset`. */
export function readFirewall(host: HostView): Promise<Firewall> {
  return host.shared(TOPIC, async () => {
    const text = await textOf(RULES, host);
    const ruleset = parseRuleset(text ?? '');
    const live = await liveTable(host);
    const isWhole = text === renderRuleset(ruleset);
    const mark = await host.recall(MARK);
    const loaded = isWhole && mark === fingerprint(text, live);
    const pending = mark === PENDING;
    return { ...ruleset, pending, loaded, persisted: await isPersisted(host) };
  });
}

/**
 * Loads another set of rules and keeps it for the next start of the machine. The set is checked as a
 * whole first. Unless the minion can make a new connection to its master within 20 seconds, the old
 * rules are put back; so they are by a timer if this run dies before it knows.
 */
export async function replaceRuleset(
  host: Host,
  what: string,
  change: (ruleset: Ruleset) => Ruleset,
): Promise<void> {
  const text = await changed(change, host);
  const tookBefore = await host.recall(MARK);
  try {
    await host.remember(MARK, PENDING);
    await beginTrial(host);
    await loadAndTry(host, what, { text, tookBefore });
    await keepForBoot(host, text);
    await endTrial(host);
    await host.remember(MARK, fingerprint(text, await liveTable(host)));
  } finally {
    host.changed(TOPIC);
  }
}

/** The whole text of the rules with a change in it. */
async function changed(change: (ruleset: Ruleset) => Ruleset, host: HostView): Promise<string> {
  return renderRuleset(change(parseRuleset((await textOf(RULES, host)) ?? '')));
}

/** Refuses rules that nftables does not take, and any while nobody could tell whether the master is still reached. */
export async function refuseRuleset(
  host: HostView,
  what: string,
  change: (ruleset: Ruleset) => Ruleset,
): Promise<void> {
  await check(host, what, await changed(change, host));
  if (await host.reachesMaster()) return;
  throw refused(what, 'the master cannot be reached even now, so nobody could tell afterwards');
}

async function loadAndTry(
  host: Host,
  what: string,
  { text, tookBefore }: { text: string; tookBefore: string | null },
): Promise<void> {
  try {
    await host.run(['nft', '--file', '-'], { input: text });
    if (await stillReachesMaster(host)) return;
    throw refused(what, 'the master could not be reached any more');
  } catch (error) {
    await host.run(['nft', '--file', BACK]);
    await endTrial(host);
    await host.remember(MARK, tookBefore);
    const message = `${messageOf(error)}; the old rules are back`;
    throw new ConductorError('CHECK_FAILED', message, { cause: error });
  }
}

async function stillReachesMaster(host: Host): Promise<boolean> {
  const end = performance.now() + REACH_MS;
  for (;;) {
    if (await host.reachesMaster()) return true;
    if (performance.now() >= end) return false;
    await host.sleep(POLL_MS);
  }
}

async function check(host: HostView, what: string, text: string): Promise<void> {
  const output = await host.query(['nft', '--check', '--file', '-'], { input: text });
  if (output.exitCode === 0) return;
  if (output.exitCode === 127)
    throw refused(what, 'there is no program "nft" on this host', ['package:nftables']);
  throw new ConductorError(
    'CHECK_FAILED',
    `Cannot configure ${what}: nft refuses the rules, so the old ones stay: ${lastWords(output)}`,
    { output: lastWords(output, 40) },
  );
}

/** From here on the rules that are in force now come back by themselves. */
async function beginTrial(host: Host): Promise<void> {
  await endTrial(host);
  await host.writeFile(BACK, `${EMPTY}\n${await liveTable(host)}`, { mode: '0600' });
  const timer = [`--unit=${BACK_UNIT}`, `--on-active=${BACK_SECONDS}`, '--collect', '--quiet'];
  await host.run(['systemd-run', ...timer, 'nft', '--file', BACK]);
}

async function endTrial(host: Host): Promise<void> {
  const timer = `${BACK_UNIT}.timer`;
  const { exitCode } = await host.query(['systemctl', 'is-active', '--quiet', timer]);
  if (exitCode === 0) await host.run(['systemctl', 'stop', timer]);
  if ((await host.status(BACK)) !== null) await host.remove(BACK);
}

/** The table as the kernel has it, without what it counts; empty if there is none. */
async function liveTable(host: HostView): Promise<string> {
  const output = await host.query(['nft', '--stateless', 'list', 'table', 'inet', 'conductor']);
  return output.exitCode === 0 ? output.stdout : '';
}

function fingerprint(text: string, live: string): string {
  return createHash('sha256').update(text).update('\0').update(live).digest('hex');
}

function refused(what: string, why: string, lacks?: readonly string[]): ConductorError {
  const details = lacks === undefined ? {} : { lacks };
  return new ConductorError('STATE_REFUSED', `Cannot configure ${what}: ${why}`, details);
}
