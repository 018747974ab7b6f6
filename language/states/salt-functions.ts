import { textOf, type Entry, type MappingNode, type Node } from '../values/node.ts';

interface Function {
  /** Its arguments, in order. */
  readonly takes: readonly string[];
  readonly command: (...quoted: readonly string[]) => string;
}

/** Functions of Salt's that a guard may call, as the command that answers the same. */
const FUNCTIONS: ReadonlyMap<string, Function> = new Map([
  ['file.file_exists', { takes: ['path'], command: (path) => `test -f ${path}` }],
  ['file.directory_exists', { takes: ['path'], command: (path) => `test -d ${path}` }],
  ['file.is_link', { takes: ['path'], command: (path) => `test -L ${path}` }],
  [
    'file.contains',
    { takes: ['path', 'text'], command: (path, text) => `grep -qsF -e ${text} ${path}` },
  ],
  ['service.status', { takes: ['name'], command: (name) => `systemctl is-active --quiet ${name}` }],
  [
    'service.enabled',
    { takes: ['name'], command: (name) => `systemctl is-enabled --quiet ${name}` },
  ],
  [
    'service.available',
    { takes: ['name'], command: (name) => `systemctl cat ${name} >/dev/null 2>&1` },
  ],
  [
    'pkg.version',
    {
      takes: ['name'],
      command: (name) =>
        `dpkg-query -W -f '\${db:Status-Status}\\n' ${name} 2>/dev/null | grep -qx installed`,
    },
  ],
  ['user.info', { takes: ['name'], command: (name) => `getent passwd ${name} >/dev/null` }],
  ['group.info', { takes: ['name'], command: (name) => `getent group ${name} >/dev/null` }],
  ['mount.is_mounted', { takes: ['name'], command: (name) => `mountpoint -q ${name}` }],
]);

/** Guards with the functions in them (`- fun: file.file_exists`) as commands; others stay as they are. */
export function commandsFor(node: Node): Node {
  if (node.kind === 'sequence') return { ...node, items: node.items.map(commandFor) };
  return commandFor(node);
}

function commandFor(node: Node): Node {
  if (node.kind !== 'mapping') return node;
  const name = textIn(node.entries.find(({ key }) => key === 'fun'));
  const called = name === null ? undefined : FUNCTIONS.get(name);
  const values = called === undefined ? null : valuesFor(called, node);
  if (called === undefined || values === null) return node;
  return { kind: 'scalar', place: node.place, value: called.command(...values.map(quoted)) };
}

/** `null` unless exactly the arguments of the function are given: by name, or in order in `args`. */
function valuesFor({ takes }: Function, { entries }: MappingNode): readonly string[] | null {
  const given = entries.filter(({ key }) => key !== 'fun');
  const list = given.find(({ key }) => key === 'args')?.value;
  const texts =
    list?.kind === 'sequence'
      ? list.items.flatMap((item) => textOf(item) ?? [])
      : takes.flatMap((name) => textIn(given.find(({ key }) => key === name)) ?? []);
  const wanted = list === undefined ? takes.length : 1;
  return texts.length === takes.length && given.length === wanted ? texts : null;
}

function textIn(entry: Entry | undefined): string | null {
  return entry === undefined ? null : textOf(entry.value);
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", String.raw`'\''`)}'`;
}
