import { z } from 'zod';
import {
  EXPOSED,
  absolutePath,
  accountName,
  environment,
  fileMode,
  idleArgument,
  refusedArgument,
  seconds,
} from '../lib/fields.ts';

/** A command that looks whether the real one would change anything, and says so as that one does. */
const testName = z.strictObject({ test_name: z.string().min(1) });

const exitCode = z.int().min(0).max(255);

/** Who runs a command, and how. */
export const surroundings = {
  cwd: absolutePath.exactOptional().describe('Directory to run it in; / if absent'),
  runas: accountName
    .exactOptional()
    .describe('Who runs it, with the groups and the home of that user; root if absent'),
  env: environment
    .exactOptional()
    .describe('Environment variables, as a mapping or as a list of mappings')
    .meta(EXPOSED),
  umask: fileMode.exactOptional().describe('umask to run it with'),
  timeout: seconds
    .min(0.1)
    .exactOptional()
    .describe('Seconds after which it is ended; 300 if absent'),
  stdin: z
    .string()
    .exactOptional()
    .describe('Given on its standard input, which is empty otherwise'),
  success_retcodes: z
    .union([exitCode, z.array(exitCode).min(1)])
    .transform((codes) => [codes].flat())
    .default([0])
    .describe('Exit codes that count as success'),
  hide_output: z
    .boolean()
    .default(false)
    .describe('Whether what it prints is left out of errors and reports'),
  output_loglevel: z
    .enum(['quiet', 'trace', 'debug', 'info', 'warning', 'error', 'critical'])
    .default('debug')
    .describe('`quiet` is the same as hide_output; the other levels change nothing'),
  bg: refusedArgument('nobody would know how it ends; describe a service with systemd.unit'),
  use_vt: idleArgument('there is no terminal'),
  ignore_timeout: refusedArgument('a state has to end; give it a longer timeout'),
  root: refusedArgument('it would run in another system than the one that is described'),
} as const;

/** What only commands with an outcome of their own take. */
export const verdict = {
  stateful: z
    .union([
      z.boolean(),
      testName,
      z
        .array(testName)
        .length(1)
        .transform(([one]) => one ?? false),
    ])
    .default(false)
    .describe(
      'Whether the last line that it prints (`changed=yes comment=…`, or all of it as JSON) says if it has changed ' +
        'anything; or a `test_name`: a command that looks and says so beforehand',
    ),
  always: z
    .boolean()
    .default(false)
    .describe('`true` says that it is meant to run every time, without a guard'),
} as const;

export type Surroundings = z.infer<z.ZodObject<typeof surroundings>>;
export type Verdict = z.infer<z.ZodObject<typeof verdict>>;
