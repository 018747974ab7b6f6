import { z } from 'zod';
import { posix } from 'node:path';
import { ConductorError } from '../../../../shared/errors.ts';
import type { Argv, CommandOptions, Host, HostView, Output } from '../../../host/host.ts';
import { failed } from '../../lib/ask.ts';
import { EXPOSED, absolutePath, accountName, environment } from '../../lib/fields.ts';
import { parentsOf } from '../../lib/resources.ts';
import { said } from '../../lib/said.ts';
import { refuseOthersProgram } from './others-program.ts';

const COMMAND_TIMEOUT_MS = 1_800_000;
const LOOK_TIMEOUT_MS = 300_000;
export const word = z
  .string()
  .regex(/^(?!-)[\w.-]+$/u, { error: 'expected letters, digits, dots and dashes' })
  .meta(EXPOSED);

/** Which project, and how its commands run. */
export const projectFields = {
  name: absolutePath.describe('Directory of the project: the one that holds manage.py'),
  virtualenv: absolutePath
    .exactOptional()
    .describe("The virtual environment that it runs in; the system's Python if absent"),
  user: accountName
    .exactOptional()
    .describe('The account that it runs as; root if absent, which runs nothing of others'),
  settings_module: word
    .exactOptional()
    .describe('The settings, such as shop.settings; those of manage.py if absent'),
  pythonpath: absolutePath
    .exactOptional()
    .describe('A directory to look for modules in before others'),
  manage: z
    .string()
    .regex(/^(?!-)[\w./-]+$/u)
    .default('manage.py')
    .describe('The management script, below the directory')
    .meta(EXPOSED),
  env: environment.exactOptional().describe('Environment of the command').meta(EXPOSED),
};

export interface Project {
  readonly name: string;
  readonly virtualenv?: string;
  readonly user?: string;
  readonly settings_module?: string;
  readonly pythonpath?: string;
  readonly manage: string;
  readonly env?: Readonly<Record<string, string>>;
}

/**
 * What a command of the project has printed. Looking must leave nothing behind: no compiled modules,
 * and no database, which SQLite makes of the mere look at one that is not there.
 */
export async function askDjango(
  host: HostView,
  project: Project,
  words: readonly string[],
  purpose: string,
): Promise<string> {
  const output = await queryDjango(host, project, words);
  if (output.exitCode === 0) return output.stdout;
  throw failed(`${purpose} of "${project.name}"`, manage(project, words), output);
}

/** As `askDjango`, where every exit code is an answer. */
export async function queryDjango(
  host: HostView,
  project: Project,
  words: readonly string[],
  input = '',
): Promise<Output> {
  await needProject(project, host);
  const options = optionsFor(project);
  const env = { ...options.env, PYTHONDONTWRITEBYTECODE: '1' };
  const [python, script, ...rest] = manage(project, words);
  const argv: Argv = [python, '-c', LOOKING, script ?? '', ...rest];
  return host.query(argv, { ...options, env, input, timeoutMs: LOOK_TIMEOUT_MS });
}

/** Throws STATE_REFUSED if there is no project, or no Python for it. */
async function needProject(project: Project, host: HostView): Promise<void> {
  const { name, virtualenv } = project;
  const [python, script = ''] = manage(project, []);
  const path = posix.resolve(name, script);
  if ((await host.status(path)) === null) {
    throw new ConductorError(
      'STATE_REFUSED',
      `Cannot look at the Django project in "${name}": there is no "${path}"`,
      { lacks: [`path:${path}`, `checkout:${name}`] },
    );
  }
  if (virtualenv !== undefined && (await host.status(python)) === null) {
    throw new ConductorError(
      'STATE_REFUSED',
      `Cannot look at the Django project in "${name}": "${virtualenv}" is no virtual environment`,
      { lacks: [`virtualenv:${virtualenv}`] },
    );
  }
  const { pythonpath } = project;
  const programs = [path, python, ...(pythonpath === undefined ? [] : [pythonpath])];
  for (const program of programs) await refuseOthersProgram(program, project, host);
}

/** Runs a management script with every SQLite database opened for reading; one that is not there is empty. */
export const LOOKING = `import atexit, os, runpy, shutil, sqlite3, sys, tempfile
from urllib.parse import quote
connect = sqlite3.connect
def look(database, *args, **named):
    path = os.fspath(database)
    path = path.decode() if isinstance(path, bytes) else path
    if path == ":memory:" or path.startswith("file:"):
        return connect(database, *args, **named)
    named["uri"] = True
    if not os.path.exists(path):
        return connect(":memory:", *args, **named)
    try:
        found = connect("file:%s?mode=ro" % quote(path), *args, **named)
        found.execute("SELECT 1 FROM sqlite_master").fetchone()
        return found
    except sqlite3.OperationalError:
        return connect("file:%s" % quote(copied(path)), *args, **named)
def copied(path):
    # Whoever was killed while writing has left a journal: it is played back into a copy in memory.
    place = tempfile.mkdtemp(dir="/dev/shm")
    atexit.register(shutil.rmtree, place)
    for end in ("", "-journal", "-wal"):
        if os.path.exists(path + end):
            shutil.copyfile(path + end, os.path.join(place, "copy" + end))
    return os.path.join(place, "copy")
sqlite3.connect = sqlite3.dbapi2.connect = look
sys.argv = sys.argv[1:]
sys.path.insert(0, os.path.dirname(os.path.abspath(sys.argv[0])))
runpy.run_path(sys.argv[0], run_name="__main__")
`;

export async function tellDjango(
  host: Host,
  project: Project,
  words: readonly string[],
): Promise<void> {
  await host.run(manage(project, words), { ...optionsFor(project), timeoutMs: COMMAND_TIMEOUT_MS });
}

/** Runs a program of ours in the project's own shell; what it works with comes on standard input. */
export async function runInDjango(
  host: Host,
  project: Project,
  { program, input }: { program: string; input: string },
): Promise<void> {
  const argv = manage(project, ['shell', `--command=${program}`]);
  await host.run(argv, { ...optionsFor(project), input, timeoutMs: COMMAND_TIMEOUT_MS });
}

function manage(project: Project, [command = '', ...words]: readonly string[]): Argv {
  const { virtualenv, settings_module, pythonpath } = project;
  const python = virtualenv === undefined ? '/usr/bin/python3' : `${virtualenv}/bin/python`;
  const settings = settings_module === undefined ? [] : [`--settings=${settings_module}`];
  const path = pythonpath === undefined ? [] : [`--pythonpath=${pythonpath}`];
  return [python, project.manage, command, '--no-color', ...settings, ...path, ...words];
}

function optionsFor({ name, user, env = {} }: Project): CommandOptions {
  return { cwd: name, env, ...said({ user }) };
}

/** What must be there before anything can be asked of a project. */
export function needsOf({ name, virtualenv, user }: Project): string[] {
  return [
    `checkout:${name}`,
    `path:${name}/manage.py`,
    `path:${name}`,
    ...parentsOf(name),
    ...(virtualenv === undefined ? ['package:python3-django'] : [`virtualenv:${virtualenv}`]),
    ...(user === undefined ? [] : [`user:${user}`]),
  ];
}
