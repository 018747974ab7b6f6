import { z } from 'zod';
import { ConductorError } from '../../shared/errors.ts';
import { isTreeDirectory, isTreeFile } from '../../shared/tree-file.ts';
import {
  absolutePath,
  accountName,
  accountNames,
  accountReference,
  environment,
  fileMode,
  seconds,
  singleLine,
  tcpPort,
} from '../state-types/lib/fields.ts';

/** Told of each definition at the moment in which it is made. */
export type Defined = (definition: unknown) => void;

const FIELDS = {
  absolutePath,
  accountName,
  accountNames,
  accountReference,
  environment,
  fileMode,
  seconds,
  singleLine,
  tcpPort,
};

/** All that a state type of a tree imports from `conductor`; `states/_types/conductor.d.ts` tells editors. */
export function surface(defined: Defined): Readonly<Record<string, unknown>> {
  return {
    defineState(definition: unknown): unknown {
      defined(definition);
      return definition;
    },
    z,
    ConductorError,
    isTreeFile,
    isTreeDirectory,
    ...FIELDS,
  };
}
