import { readFileSync } from 'node:fs';
import test from 'ava';
import type * as declared from 'conductor';
import { z } from 'zod';
import type { StateType } from '../../../minion/engine/state-type.ts';
import { defineState } from '../../../minion/engine/state-type.ts';
import { surface } from '../../../minion/custom-types/surface.ts';
import type { Host, HostView } from '../../../minion/host/host.ts';
import * as fields from '../../../minion/state-types/lib/fields.ts';
import type { Change } from '../../../shared/change.ts';
import type { TreeDirectory, TreeFile } from '../../../shared/tree-file.ts';
import { isTreeDirectory, isTreeFile } from '../../../shared/tree-file.ts';

/** Compiles only if each of two types will do where the other is asked for. */
type Same<A, B> = [A] extends [B] ? ([B] extends [A] ? true : never) : never;

/** Some things only the types that come with Conductor do. */
type Known = Omit<
  StateType,
  | 'gathers'
  | 'knowing'
  | 'reach'
  | 'publishesAt'
  | 'bringBack'
  | 'clears'
  | 'permits'
  | 'writes'
  | 'rewrites'
  | 'secretsIn'
  | 'settles'
  | 'refusesReaction'
>;

/** What `states/_types/conductor.d.ts` tells editors is what there is: the compiler proves it. */
const proofs = {
  Host: true satisfies Same<declared.Host, Host>,
  HostView: true satisfies Same<declared.HostView, HostView>,
  StateType: true satisfies Same<declared.StateType, Known>,
  keys: true satisfies Same<keyof declared.StateType, keyof Known>,
  TreeFile: true satisfies Same<declared.TreeFile, TreeFile>,
  TreeDirectory: true satisfies Same<declared.TreeDirectory, TreeDirectory>,
  Change: true satisfies Same<declared.Change, Change>,
};
const { absolutePath, accountName, accountNames, accountReference, environment } = fields;
const { fileMode, seconds, singleLine, tcpPort } = fields;
const values = {
  z,
  defineState,
  isTreeFile,
  isTreeDirectory,
  absolutePath,
  accountName,
  accountNames,
  accountReference,
  environment,
  fileMode,
  seconds,
  singleLine,
  tcpPort,
} satisfies Omit<typeof declared, 'ConductorError'>;

test('an editor is told of all that can be imported, and of nothing else', (t) => {
  const given = Object.keys(surface(() => undefined)).toSorted();
  t.deepEqual(given, [...Object.keys(values), 'ConductorError'].toSorted());
  const text = readFileSync('states/_types/conductor.d.ts', 'utf8');
  for (const name of [...given, ...Object.keys(proofs).filter((one) => one !== 'keys')]) {
    t.regex(text, new RegExp(`export .*\\b${name}\\b`), name);
  }
});
