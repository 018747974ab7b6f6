import type { Change } from '../../../shared/change.ts';
import { ConductorError } from '../../../shared/errors.ts';
import { defineState } from '../../engine/state-type.ts';
import type { Host, HostView } from '../../host/host.ts';
import { failed } from '../lib/ask.ts';
import { parentsOf } from '../lib/resources.ts';
import { said } from '../lib/said.ts';
import { readKeyLines } from './lib/authorized-keys.ts';
import {
  hasFingerprint,
  hashedName,
  hostLabel,
  isHashed,
  isNamed,
  parseFingerprint,
  parseKnownHost,
  showFingerprint,
  withoutName,
} from './lib/known-hosts.ts';
import type { KnownHost } from './lib/known-hosts.ts';
import { knownHostsFile, needKnownHostsOwner, writeKnownHosts } from './lib/known-hosts-file.ts';
import { absentSchema, presentSchema } from './ssh-known-hosts-schema.ts';
import type { AbsentArgs, PresentArgs } from './ssh-known-hosts-schema.ts';

/** How a host is known. */
export type Known = {
  enc: string;
  key: string;
  /** The one that is asked for if the key has it; else as ssh-keygen shows it. */
  fingerprint: string;
  hash_known_hosts: boolean;
};

/** Lines that give this host a key, those first that give it the key that is asked for. */
async function found(args: AbsentArgs, host: HostView): Promise<readonly KnownHost[]> {
  const path = await knownHostsFile(args, host);
  if (path === null) return [];
  const label = hostLabel(args.name, args.port);
  const known = (await readKeyLines(path, host)).map(parseKnownHost);
  return known.flatMap((one) => (one !== null && isNamed(one.names, label) ? [one] : []));
}

/** Whether a line is about the key that is asked for: of this type, or with this fingerprint. */
function isMeant({ enc, fingerprint }: PresentArgs, known: KnownHost): boolean {
  if (enc !== undefined) return known.enc === enc;
  const print = fingerprint === undefined ? null : parseFingerprint(fingerprint);
  return print !== null && hasFingerprint(known.key, print);
}

async function read(args: PresentArgs, host: HostView): Promise<Known | null> {
  const lines = await found(args, host);
  const others = args.enc === undefined ? lines : [];
  const known = lines.find((one) => isMeant(args, one)) ?? others[0];
  if (known === undefined) return null;
  const { enc, key, names } = known;
  const print = args.fingerprint === undefined ? null : parseFingerprint(args.fingerprint);
  const isIt = print !== null && hasFingerprint(key, print);
  const fingerprint =
    isIt && args.fingerprint !== undefined ? args.fingerprint : showFingerprint(key);
  return { enc, key, fingerprint, hash_known_hosts: isHashed(names) };
}

function want({ enc, key, fingerprint, hash_known_hosts: hashed }: PresentArgs): Partial<Known> {
  return said({ enc, key, fingerprint, hash_known_hosts: hashed });
}

async function apply(_change: Change<Known>, args: PresentArgs, host: Host): Promise<void> {
  const { name, port, hash_known_hosts: hashed = true } = args;
  const label = hostLabel(name, port);
  const { enc, key } = await keyOf(args, host);
  const others = await linesWithout(args, label, host, (known) => known.enc === enc);
  const line = `${hashed ? hashedName(label) : label} ${enc} ${key}`;
  await writeKnownHosts(args, [...others, line], host);
}

async function linesWithout(
  args: AbsentArgs,
  label: string,
  host: Host,
  isMeantHere: (known: KnownHost) => boolean,
): Promise<string[]> {
  const path = await knownHostsFile(args, host);
  if (path === null) return [];
  return (await readKeyLines(path, host)).flatMap((line) => {
    const known = parseKnownHost(line);
    return known !== null && isMeantHere(known) ? withoutName(line, label) : [line];
  });
}

/** The key that is given, or the one with the fingerprint that is given, from the host itself. */
async function keyOf(args: PresentArgs, host: HostView): Promise<{ enc: string; key: string }> {
  if (args.key !== undefined && args.enc !== undefined) return { enc: args.enc, key: args.key };
  const { name, port, timeout, enc, fingerprint = '' } = args;
  const type =
    enc === undefined
      ? []
      : ['-t', enc.replace(/^ssh-|^ecdsa-.*/u, (part) => (part === 'ssh-' ? '' : 'ecdsa'))];
  const argv = [
    'ssh-keyscan',
    '-T',
    String(timeout),
    '-p',
    String(port),
    ...type,
    '--',
    name,
  ] as const;
  const answer = await host.query([...argv]);
  const offered = answer.stdout.split('\n').flatMap((line) => parseKnownHost(line) ?? []);
  if (offered.length === 0) throw failed(`ask "${name}" for its keys`, argv, answer);
  const print = parseFingerprint(fingerprint);
  const right = offered.find(({ key }) => print !== null && hasFingerprint(key, print));
  if (right !== undefined) return right;
  const shown = offered.map((one) => `${one.enc} ${showFingerprint(one.key)}`).join(', ');
  throw new ConductorError(
    'STATE_REFUSED',
    `Cannot trust "${name}": none of its keys has the fingerprint "${fingerprint}"; it offers ${shown}`,
    { lacks: [] },
  );
}

type Gone = { keys: readonly string[] };

async function readAbsent(args: AbsentArgs, host: HostView): Promise<Gone | null> {
  const keys = (await found(args, host)).map(({ enc, key }) => `${enc} ${key}`);
  return keys.length === 0 ? null : { keys };
}

async function applyAbsent(_change: Change<Gone>, args: AbsentArgs, host: Host): Promise<void> {
  const label = hostLabel(args.name, args.port);
  const left = await linesWithout(args, label, host, () => true);
  await writeKnownHosts(args, left, host);
}

const needs = ({ user, config = '/etc/ssh/ssh_known_hosts' }: AbsentArgs): string[] =>
  user === undefined ? parentsOf(config) : [`user:${user}`];

export const sshKnownHostsPresent = defineState({
  name: 'ssh_known_hosts.present',
  schema: presentSchema,
  example: `github.com:
  ssh_known_hosts.present:
    user: www-data
    enc: ssh-ed25519
    fingerprint: SHA256:+DiY3wvvV6TuJJhbpZisF/zLDA0zPMSvHdkr4UvCOqU
`,
  needs,
  read,
  async want(args: PresentArgs, host: HostView) {
    await needKnownHostsOwner(args, host);
    return want(args);
  },
  refuses: async (_change: Change<Known>, args: PresentArgs, host: HostView) =>
    void (await keyOf(args, host)),
  apply,
});

export const sshKnownHostsAbsent = defineState({
  name: 'ssh_known_hosts.absent',
  schema: absentSchema,
  example: `old.example.org:
  ssh_known_hosts.absent:
    user: www-data
`,
  needs,
  read: readAbsent,
  want: () => null,
  apply: applyAbsent,
});
