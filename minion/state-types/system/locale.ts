import { z } from 'zod';
import type { Change } from '../../../shared/change.ts';
import { ConductorError } from '../../../shared/errors.ts';
import { defineState } from '../../engine/state-type.ts';
import type { Host, HostView } from '../../host/host.ts';
import { ask } from '../lib/ask.ts';
import { defaultLocale, isGenerated, supportedLine, withLocaleLine } from './lib/locales.ts';

/** One locale that programs may use. */
export type Locale = {
  /** Whether /etc/locale.gen lists it, so that it is made again when Debian renews all. */
  listed: boolean;
  generated: boolean;
};

/** The locale that programs use. */
export type SystemLocale = { name: string | null };

const LIST = '/etc/locale.gen';
const SUPPORTED = '/usr/share/i18n/SUPPORTED';
const DEFAULT = '/etc/default/locale';

const localeName = z.string().regex(/^[A-Za-z][\w.@-]*(?: [\w-]+)?$/u, {
  error: 'expected the name of a locale, such as he_IL.UTF-8',
});

const presentSchema = z
  .strictObject({
    name: localeName.describe('Name of the locale, such as he_IL.UTF-8 or "he_IL.UTF-8 UTF-8"'),
  })
  .describe(
    'A locale that is listed in /etc/locale.gen and has been generated, so that programs may use it.',
  );

const systemSchema = z
  .strictObject({
    name: localeName.describe('Name of the locale: LANG of every program that is started'),
  })
  .describe(
    'The locale of the whole host, in /etc/default/locale. It must have been generated; `locale.present` does that. ' +
      'Other variables in the file are kept.',
  );

type Args = z.infer<typeof presentSchema>;

async function read({ name }: Args, host: HostView): Promise<Locale | null> {
  const line = await neededLine(name, host);
  const listed = (await textOf(LIST, host)).split('\n').some((one) => one.trim() === line);
  const generated = isGenerated(name, await generatedLocales(host));
  return listed || generated ? { listed, generated } : null;
}

async function textOf(path: string, host: HostView): Promise<string> {
  return Buffer.from((await host.readFile(path)) ?? []).toString();
}

/** The name as locale.gen has it. Throws STATE_REFUSED if this host cannot make such a locale. */
async function neededLine(name: string, host: HostView): Promise<string> {
  const line = supportedLine(name, await textOf(SUPPORTED, host));
  if (line !== null) return line;
  throw new ConductorError(
    'STATE_REFUSED',
    `Cannot make the locale "${name}": "${SUPPORTED}" does not list it (the package locales brings it)`,
    { lacks: ['package:locales'] },
  );
}

/** Asked for once a run, until packages, which may bring some, or locales themselves have changed. */
function generatedLocales(host: HostView): Promise<string> {
  return host.shared('locales', () => ask(host, ['locale', '-a'], 'read the locales'));
}

async function apply(_change: Change<Locale>, { name }: Args, host: Host): Promise<void> {
  const line = await neededLine(name, host);
  const text = await textOf(LIST, host);
  const listed = withLocaleLine(text, line);
  if (listed !== text) await host.writeFile(LIST, listed);
  await host.run(['locale-gen', '--keep-existing']);
  host.changed('locales');
}

async function readSystem(_args: Args, host: HostView): Promise<SystemLocale> {
  return { name: defaultLocale(await textOf(DEFAULT, host)) };
}

async function refusesSystem(
  _change: Change<SystemLocale>,
  { name }: Args,
  host: HostView,
): Promise<void> {
  if (isGenerated(name, await generatedLocales(host))) return;
  throw new ConductorError(
    'STATE_REFUSED',
    `Cannot make "${name}" the locale of this host: it has not been generated (locale.present does that)`,
    { lacks: [`locale:${name}`] },
  );
}

async function applySystem(
  _change: Change<SystemLocale>,
  { name }: Args,
  host: Host,
): Promise<void> {
  await host.run(['update-locale', `LANG=${name}`]);
}

export const localePresent = defineState({
  name: 'locale.present',
  schema: presentSchema,
  example: `he_IL.UTF-8:
  locale.present: {}
`,
  provides: ({ name }: Args) => [`locale:${name}`],
  needs: () => ['package:locales'],
  read,
  want: (): Partial<Locale> => ({ listed: true, generated: true }),
  apply,
});

export const localeSystem = defineState({
  name: 'locale.system',
  schema: systemSchema,
  example: `C.UTF-8:
  locale.system: {}
`,
  needs: ({ name }: Args) => [`locale:${name}`, 'package:locales'],
  read: readSystem,
  want: ({ name }: Args): Partial<SystemLocale> => ({ name }),
  refuses: refusesSystem,
  apply: applySystem,
});
