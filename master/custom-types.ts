import { spawn } from 'node:child_process';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { Readable } from 'node:stream';
import { typePaths } from '../language/custom-files.ts';
import { schemaOf, typesAnswer } from '../language/described-types.ts';
import type { DescribedType, TypesAnswer, TypesQuestion } from '../language/described-types.ts';
import { lint } from '../language/lint.ts';
import { collectProblems, renderProblems } from '../language/problem.ts';
import type { Problem } from '../language/problem.ts';
import type { StateSchemas } from '../language/state-schema.ts';
import type { ManifestEntry, Tree } from '../language/tree.ts';
import { ConductorError, messageOf } from '../shared/errors.ts';
import { endOf } from '../shared/excerpt.ts';

/**
 * State types that a tree brings along are code, and the master runs none of it: a process of its
 * own looks at them, with nothing of the master's but the tree, and says what it has found.
 */

/** Every mistake of a tree, those of its own state types among them. */
export async function lintTree(tree: Tree, shipped: StateSchemas): Promise<readonly Problem[]> {
  if (typePaths(tree.manifest).length === 0) return lint(tree, shipped);
  const { problems, isAnswered } = await look(tree, { isWhole: true });
  return isAnswered ? problems : [...problems, ...lint(tree, shipped, { isPartial: true })];
}

/** The state types of a tree: those that come with Conductor and its own. Throws TREE_INVALID. */
export async function schemasOf(tree: Tree, shipped: StateSchemas): Promise<StateSchemas> {
  const own = await describedTypes(tree);
  return new Map([...shipped, ...own.map((type) => [type.name, schemaOf(type)] as const)]);
}

/** The state types that a tree brings along. Throws TREE_INVALID. */
export async function describedTypes(tree: Tree): Promise<readonly DescribedType[]> {
  if (typePaths(tree.manifest).length === 0) return [];
  const { problems, types } = await look(tree, { isWhole: false });
  if (problems.length === 0) return types;
  throw new ConductorError('TREE_INVALID', renderProblems(problems), { problems });
}

/** The script, beside this one: as sources are laid out, or bundled into one folder. */
const isBundled = !import.meta.url.endsWith('/master/custom-types.js');
const PROGRAM = isBundled ? './types.js' : '../minion/custom-types/main.js';
const program = fileURLToPath(new URL(PROGRAM, import.meta.url));
/** What the process may read: its own code. */
const readable = fileURLToPath(new URL(isBundled ? './*' : '../../../*', import.meta.url));

const LIMIT_MS = 30_000;

interface Look extends TypesAnswer {
  /** The process has looked at what it was to look at. */
  readonly isAnswered: boolean;
}

async function look(tree: Tree, { isWhole }: { isWhole: boolean }): Promise<Look> {
  try {
    const answer = typesAnswer.parse(JSON.parse(await ask(questionOf(tree, isWhole))));
    return { ...answer, isAnswered: true };
  } catch (error) {
    const problems = collectProblems(tree);
    const [file = ''] = typePaths(tree.manifest);
    const message = `the state types of this tree cannot be looked at: ${messageOf(error)}`;
    problems.add({ file, line: 1, column: 1 }, message);
    const told = problems.list().map((one) => ({ ...one, chain: [] }));
    return { problems: told, types: [], isAnswered: false };
  }
}

function questionOf(tree: Tree, isWhole: boolean): TypesQuestion {
  const contentOf = ({ path }: ManifestEntry): string => {
    const isRead = !path.startsWith('templates/') || path.endsWith('.hbs');
    return isRead ? Buffer.from(tree.read(path) ?? []).toString('base64') : '';
  };
  const needed = isWhole
    ? tree.manifest
    : tree.manifest.filter(({ path }) => path.startsWith('states/'));
  return {
    isWhole,
    revision: tree.revision,
    files: needed.map((entry) => ({ ...entry, content: contentOf(entry) })),
  };
}

/** Node's name for it has changed; it keeps honest code from what it has no business with. */
const PERMISSION = process.allowedNodeEnvironmentFlags.has('--permission')
  ? '--permission'
  : '--experimental-permission';

async function ask(question: TypesQuestion): Promise<string> {
  const flags = [
    PERMISSION,
    `--allow-fs-read=${readable}`,
    '--disable-warning=ExperimentalWarning',
  ];
  const child = spawn(process.execPath, [...flags, program], {
    cwd: '/',
    env: {},
    stdio: ['pipe', 'ignore', 'pipe', 'pipe'],
    timeout: LIMIT_MS,
    killSignal: 'SIGKILL',
  });
  const [, , stderr, answer] = child.stdio;
  // A process that ends before it has read all is told of by how it ended.
  child.stdin?.on('error', () => undefined);
  child.stdin?.end(JSON.stringify(question));
  const ended = new Promise<string>((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code, signal) => {
      if (signal === 'SIGKILL') resolve(`they took longer than ${LIMIT_MS / 1000} s`);
      else resolve(code === 0 ? '' : `their process ended with ${signal ?? String(code)}`);
    });
  });
  const [why, said, complaint] = await Promise.all([ended, all(answer), all(stderr)]);
  if (why === '' && said !== '') return said;
  const state = why === '' ? 'they ended their process' : why;
  throw new Error([state, endOf(complaint).trim()].filter((part) => part !== '').join(': '));
}

async function all(stream: unknown): Promise<string> {
  return stream instanceof Readable ? text(stream) : '';
}
