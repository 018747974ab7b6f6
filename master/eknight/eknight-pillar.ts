import { randomBytes } from 'node:crypto';
import { z } from 'zod';
import { seal } from '../../protocol/seal.ts';

export const DATABASES = ['postgres', 'mysql', 'none'] as const;

/**
 * Accounts that Debian (base-passwd), the packages of the shipped tree, and the tree itself make: an eKnight
 * of such a name would take one over. pillars/base.yaml says the same to files written by hand.
 */
export const SYSTEM_ACCOUNTS = new Set(
  (
    'root daemon bin sys sync games man lp mail news uucp proxy www-data backup list irc gnats nobody ' +
    'adm tty disk kmem dialout fax voice cdrom floppy tape sudo audio dip operator src shadow utmp video ' +
    'sasl plugdev staff users nogroup admin crontab ssh sshd ssl-cert messagebus syslog uuidd dnsmasq ' +
    'systemd-network systemd-resolve systemd-timesync systemd-journal systemd-coredump systemd-oom input ' +
    'kvm render sgx polkitd tcpdump postfix exim postgres mysql redis nginx circus supervisor robot conductor'
  ).split(' '),
);

/** Nothing in it may be taken for an expression, an option or the end of a YAML text. */
const word = z
  .string()
  .regex(/^[^\s"'\\{}-][^\s"'\\{}]*$/u, 'must be one word without quotes, braces or a leading "-"');

/** What is asked of a new eKnight. */
export const eknightSchema = z.strictObject({
  name: z
    .string()
    .regex(/^[a-z][a-z0-9_-]{0,30}$/u, 'must be a login name: a-z, 0-9, "_" and "-", at most 31')
    .refine(
      (name) => !SYSTEM_ACCOUNTS.has(name),
      'is an account or a group of the system: take another',
    ),
  repo: word,
  ref: word,
  domain: z
    .string()
    .regex(
      /^(?=.{1,253}$)[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*$/u,
      'must be a domain name',
    ),
  database: z.enum(DATABASES),
  project: z.string().regex(/^[a-z_][a-z0-9_]*$/u, 'must be the name of a Python module'),
});

export type Eknight = z.infer<typeof eknightSchema>;

/** Its pillar file. The secrets are made here, sealed here, and known to nobody. */
export function pillarText(eknight: Eknight, sealingKey: Uint8Array): string {
  const { name, repo, ref, domain, database, project } = eknight;
  const secret = () => `!sealed "${seal(sealingKey, randomBytes(32).toString('base64url'))}"`;
  return [
    'eknights:',
    `  ${name}:`,
    `    repo: "${repo}"`,
    `    ref: "${ref}"`,
    `    domain: "${domain}"`,
    ...(project === name ? [] : [`    project: "${project}"`]),
    `    secret_key: ${secret()}`,
    ...(database === 'none'
      ? []
      : ['    database:', `      engine: ${database}`, `      password: ${secret()}`]),
    '',
  ].join('\n');
}
