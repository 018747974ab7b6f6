import { ConductorError } from '../../../../shared/errors.ts';
import type { HostView } from '../../../host/host.ts';

/** One systemd unit as the manager knows it. */
export interface Unit {
  /** Its real name, where it is known by an alias. */
  readonly id: string;
  readonly loadState: string;
  readonly activeState: string;
  readonly subState: string;
  readonly unitFileState: string;
  readonly needsDaemonReload: boolean;
  readonly canReload: boolean;
  readonly restarts: number;
}

const PROPERTIES = [
  'Id',
  'Names',
  'LoadState',
  'ActiveState',
  'SubState',
  'UnitFileState',
  'NeedDaemonReload',
  'CanReload',
  'NRestarts',
] as const;

const SHOW = ['systemctl', 'show', '--no-pager', `--property=${PROPERTIES.join(',')}`] as const;
const SUFFIX = /\.(?:service|socket|timer|mount|automount|path|target|swap|slice|scope)$/u;

/** `nginx` is `nginx.service`. */
export function unitName(name: string): string {
  return SUFFIX.test(name) ? name : `${name}.service`;
}

/** The template of an instance: `shop@.service` of `shop@1.service`; `null` if it is none. */
export function templateOf(unit: string): string | null {
  const { name, ending } = /^(?<name>[^@]+)@[^@]+(?<ending>\.[a-z]+)$/u.exec(unit)?.groups ?? {};
  return name === undefined || ending === undefined ? null : `${name}@${ending}`;
}

/**
 * How a unit is; all units that systemd has loaded are read once a run, until `changed('services')`.
 * Of the others those are asked for one by one that there is a unit file of.
 */
export async function readUnit(name: string, host: HostView): Promise<Unit> {
  const known = await host.shared('services', async (): Promise<Known> => {
    const units = await show(['*.service', '*.socket', '*.timer'], host);
    return { units, asked: [], files: [] };
  });
  const unit = known.units.get(name) ?? (await readUnloaded(name, known, host));
  known.units.set(name, unit);
  return unit;
}

interface Known {
  readonly units: Map<string, Unit>;
  /** By themselves, because they were not loaded. */
  readonly asked: string[];
  /** All unit files, once it has been worth the while to look for them. */
  readonly files: string[];
}

const ASKED_ALONE = 3;

async function readUnloaded(name: string, { asked, files }: Known, host: HostView): Promise<Unit> {
  asked.push(name);
  if (asked.length > ASKED_ALONE && files.length === 0) files.push(...(await unitFiles(host)));
  const mayBe = files.length === 0 || files.includes(name) || name.includes('@');
  return mayBe ? readUnitNow(name, host) : { ...NOT_FOUND, id: name };
}

async function unitFiles(host: HostView): Promise<readonly string[]> {
  const argv = ['systemctl', 'list-unit-files', '--no-legend', '--no-pager'] as const;
  const { stdout } = await host.query(argv);
  return stdout.split('\n').map((line) => line.split(/\s+/u, 1)[0] ?? '');
}

/** What systemd says of a unit of which there is no file. */
const NOT_FOUND: Unit = {
  id: '',
  loadState: 'not-found',
  activeState: 'inactive',
  subState: 'dead',
  unitFileState: '',
  needsDaemonReload: false,
  canReload: false,
  restarts: 0,
};

async function show(names: readonly string[], host: HostView): Promise<Map<string, Unit>> {
  const answer = await host.query([...SHOW, ...names]);
  if (answer.exitCode === 0) return parseUnits(answer.stdout);
  throw noSystemd(answer.stderr);
}

/** How a unit is at this moment. */
export async function readUnitNow(name: string, host: HostView): Promise<Unit> {
  const answer = await host.query([...SHOW, '--', name]);
  const unit = parseUnits(answer.stdout).get(name);
  if (unit === undefined) throw noSystemd(answer.stderr);
  return unit;
}

/** Whether systemd has not yet read what has changed of a unit, or of an instance of a template. */
export async function isStale(name: string, host: HostView): Promise<boolean> {
  if (!name.includes('@.')) return (await readUnit(name, host)).needsDaemonReload;
  const units = await readInstances(name, host);
  return [...units.values()].some(({ needsDaemonReload }) => needsDaemonReload);
}

/** The instances of a template that systemd knows. */
export async function instancesOf(template: string, host: HostView): Promise<readonly string[]> {
  return [...(await readInstances(template, host)).keys()];
}

async function readInstances(template: string, host: HostView): Promise<ReadonlyMap<string, Unit>> {
  const answer = await host.query([...SHOW, '--', template.replace('@.', '@*.')]);
  return parseUnits(answer.stdout);
}

/** Where systemd finds units. */
const UNIT_DIRECTORIES = [
  '/etc/systemd/system',
  '/run/systemd/system',
  '/usr/local/lib/systemd/system',
  '/usr/lib/systemd/system',
  '/lib/systemd/system',
];

/** The error for a unit that is not there, with all that may bring it about. */
export function noSuchUnit(verb: string, name: string): ConductorError {
  const files = [name, templateOf(name) ?? name];
  const [script = name] = name.split('.service');
  const lacks = [
    ...files.map((file) => `unit:${file}`),
    ...UNIT_DIRECTORIES.flatMap((at) => files.map((file) => `path:${at}/${file}`)),
    `path:/etc/init.d/${script}`,
  ];
  const message = `Cannot ${verb} "${name}": there is no such unit`;
  return new ConductorError('STATE_REFUSED', message, { lacks });
}

function noSystemd(said: string): ConductorError {
  return new ConductorError(
    'STATE_REFUSED',
    'Cannot look at the services of this host: its systemd does not answer',
    { output: said },
  );
}

/** By every name that a unit has. */
export function parseUnits(text: string): Map<string, Unit> {
  const units = new Map<string, Unit>();
  for (const paragraph of text.split(/\n\n+/u)) {
    const values = new Map(
      paragraph.split('\n').map((line): [string, string] => {
        const end = line.indexOf('=');
        return [line.slice(0, end), line.slice(end + 1)];
      }),
    );
    const value = (name: (typeof PROPERTIES)[number]) => values.get(name) ?? '';
    const unit = {
      id: value('Id'),
      loadState: value('LoadState'),
      activeState: value('ActiveState'),
      subState: value('SubState'),
      unitFileState: value('UnitFileState'),
      needsDaemonReload: value('NeedDaemonReload') === 'yes',
      canReload: value('CanReload') === 'yes',
      restarts: Number(value('NRestarts')) || 0,
    };
    for (const name of [value('Id'), ...value('Names').split(' ')]) {
      if (name !== '') units.set(name, unit);
    }
  }
  return units;
}
