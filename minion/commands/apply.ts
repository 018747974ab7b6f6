import { createHash, randomBytes } from 'node:crypto';
import { join } from 'node:path';
import type { Command } from 'commander';
import { compilePillar, pillarToWire } from '../../language/pillar.ts';
import { resolvePlain } from '../../language/values/scalar.ts';
import { needStateFiles } from '../../language/states/named-on-command-line.ts';
import { readDirectory } from '../../language/source.ts';
import type { Tree } from '../../language/tree.ts';
import type { Pause } from '../../protocol/pause.ts';
import type { Report } from '../../protocol/report.ts';
import { readGivenKeyFile } from '../../protocol/key-files.ts';
import type { Pillar, RunOptions, RunRequest } from '../../protocol/run-request.ts';
import { nodeCrypto } from '../../protocol/node-crypto.ts';
import { open, sealingKey } from '../../protocol/seal.ts';
import { canonicalJson } from '../../shared/canonical-json.ts';
import { parseTimeout } from '../../shared/duration.ts';
import { ConductorError, messageOf } from '../../shared/errors.ts';
import { uuidv7 } from '../../shared/uuid.ts';
import type { Configuration } from '../config.ts';
import { pauseIn } from '../agent/pause.ts';
import { minionAtRest } from '../agent/identity.ts';
import { mastersOf, readTrust } from '../agent/trust.ts';
import { performRun } from '../run/run.ts';
import { spoolReport } from '../run/spool.ts';
import { stateTypes } from '../state-types/index.ts';
import { configFor, logOf, withCommon } from './context.ts';
import type { CommonOptions, Context } from './context.ts';
import { exitCodeOfReport, printEvent, printReport } from './render.ts';

interface ApplyOptions extends CommonOptions {
  readonly tree: string;
  readonly dryRun?: boolean;
  readonly set: readonly string[];
  readonly group: readonly string[];
  readonly sealingKey?: string;
  readonly json?: boolean;
  readonly verbose?: boolean;
  readonly timeout: string;
}

const EXAMPLES = `
Examples:
  minion apply --tree /srv/conductor --dry-run
  minion apply --tree . --group appserver nginx circus
  minion apply --tree . --set version=2 deploy`;

export function addApply(program: Command, context: Context): void {
  withCommon(program.command('apply'))
    .description('Apply a tree to this machine, without any master')
    .argument('[state files...]', 'apply these, not what the top file says')
    .requiredOption('--tree <directory>', 'a directory with states/, pillars/ and templates/')
    .option('--dry-run', 'only say what would change', false)
    .option('--set <name=value>', 'a value for a declared param', collect, [])
    .option('--group <name>', 'a group that this minion is in', collect, [])
    .option('--sealing-key <file>', "the master's sealing key, for sealed values of the pillar")
    .option('--timeout <time>', 'how long the whole run may take', '1h')
    .option('--json', 'print the report as one JSON document')
    .option('-v, --verbose', 'show unchanged and skipped states too')
    .addHelpText('after', EXAMPLES)
    .action(async (stateFiles: string[], options: ApplyOptions) => {
      const config = await configFor(context, options);
      await needOwnId(context, config, options);
      const tree = await readDirectory(options.tree);
      needStateFiles(tree, stateFiles);
      const pillar = await localPillar(tree, config, options);
      const masters = mastersOf(config, logOf(context, 'error'));
      const { state_directory } = config;
      const paused = pauseIn(state_directory, {
        now: () => new Date(),
        log: logOf(context, 'error'),
      });
      const blobKey = options.dryRun === true ? null : await keyOf(context, state_directory);
      const where = { config, masters, paused, blobKey };
      const request = requestFor({ tree, pillar, options, stateFiles, ...where });
      const report = await run(context, { request, tree, config, options });
      context.exit(exitCodeOfReport(report));
    });
}

/** The master takes the report of a run of its minion, and of no other. Throws USAGE. */
async function needOwnId(
  context: Context,
  { id, state_directory: stateDirectory }: Configuration,
  { id: given, dryRun, ...options }: ApplyOptions,
): Promise<void> {
  // Only of the minion of this machine do its settings know who it is.
  if (given === undefined || dryRun === true || options.stateDirectory !== undefined) return;
  if (!hasMaster(context, stateDirectory)) return;
  const own = (await configFor(context, options)).id;
  if (own === id) return;
  const message = `Cannot apply as "${id}": this machine is the minion "${own}" of a master; leave out --id, look with --dry-run, or give a --state-directory of its own`;
  throw new ConductorError('USAGE', message);
}

/** A minion that has none has nobody to tell, and would only fill its disk. */
function hasMaster(context: Context, stateDirectory: string): boolean {
  return readTrust(stateDirectory, logOf(context, 'error')) !== null;
}

function collect(value: string, before: readonly string[]): readonly string[] {
  return [...before, value];
}

/** Compiled here, as a master would. Throws TREE_INVALID, and SEALED_VALUE if a key is missing. */
async function localPillar(
  tree: Tree,
  { id }: Configuration,
  { group: groups, sealingKey: file }: ApplyOptions,
): Promise<Pillar> {
  const key = file === undefined ? null : sealingKey(await readGivenKeyFile(file, 'sealing'));
  const unseal = (sealed: string): string => {
    if (key !== null) return open(key, sealed);
    const help = 'give --sealing-key FILE, the key of the master';
    throw new ConductorError('SEALED_VALUE', 'Cannot open a sealed value: its key is not given', {
      help,
    });
  };
  const { value } = compilePillar({ tree, minion: { id, groups }, unseal });
  const wire = { ...pillarToWire(value), fingerprintKey: randomBytes(32).toString('hex') };
  return { id: createHash('sha256').update(canonicalJson(wire)).digest('hex'), ...wire };
}

/** With which the run seals what it keeps; without one it keeps nothing, which is told. */
async function keyOf(context: Context, stateDirectory: string): Promise<string | null> {
  try {
    return (await minionAtRest(nodeCrypto, stateDirectory)).key;
  } catch (error) {
    logOf(context, 'error').error({ problem: messageOf(error) }, 'Old contents cannot be kept');
    return null;
  }
}

interface Local {
  readonly tree: Tree;
  readonly pillar: Pillar;
  readonly config: Configuration;
  readonly options: ApplyOptions;
  readonly stateFiles: readonly string[];
  readonly masters: readonly string[];
  readonly paused: Pause | null;
  readonly blobKey: string | null;
}

function requestFor(local: Local): RunRequest {
  const { tree, pillar, config, options, stateFiles, masters, paused, blobKey } = local;
  const { state_directory: stateDirectory, id } = config;
  return {
    options: runOptions(options, stateFiles),
    minion: { id, groups: [...options.group] },
    revision: tree.revision,
    manifest: [...tree.manifest],
    pillar,
    blobDirectory: join(stateDirectory, 'blobs'),
    ...(blobKey === null ? {} : { blobKey }),
    stateDirectory,
    masters: [...masters],
    paused: paused ?? undefined,
  };
}

function runOptions(options: ApplyOptions, stateFiles: readonly string[]): RunOptions {
  return {
    job: uuidv7(),
    cause: 'local',
    dryRun: options.dryRun === true,
    stateFiles: [...stateFiles],
    params: Object.fromEntries(options.set.map(setting)),
    timeoutSeconds: parseTimeout(options.timeout),
  };
}

/** `name=value`, where the value is read as YAML would read a scalar, or as a JSON list or mapping. */
function setting(pair: string): [string, RunOptions['params'][string]] {
  const [, name, text = ''] = /^([^=]+)=(.*)$/su.exec(pair) ?? [];
  if (name === undefined)
    throw new ConductorError('USAGE', `Cannot read --set "${pair}": write NAME=VALUE`);
  if (!/^[[{"]/u.test(text)) return [name, resolvePlain(text) ?? text];
  try {
    const value: RunOptions['params'][string] = JSON.parse(text);
    return [name, value];
  } catch (cause) {
    const message = `Cannot read --set "${pair}": it is no JSON (${messageOf(cause)})`;
    throw new ConductorError('USAGE', message, { cause });
  }
}

interface LocalRun {
  readonly request: RunRequest;
  readonly tree: Tree;
  readonly config: Configuration;
  readonly options: ApplyOptions;
}

async function run(
  context: Context,
  { request, tree, config, options }: LocalRun,
): Promise<Report> {
  const { terminal, signal, enterGroup } = context;
  const view = { json: options.json === true, verbose: options.verbose === true };
  const report = await performRun(request, {
    states: stateTypes,
    emit: (event) => printEvent(terminal, view, event),
    signal,
    tree,
    ...(enterGroup === undefined ? {} : { enterGroup }),
    log: logOf(context, config.log_level === 'debug' ? 'debug' : 'error'),
  });
  // Whatever becomes of the report, whoever asked for it has seen it.
  printReport(terminal, view, report);
  const { stateDirectory } = request;
  if (hasMaster(context, stateDirectory)) spoolReport(stateDirectory, report);
  return report;
}
