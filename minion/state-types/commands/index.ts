import type { StateType } from '../../engine/state-type.ts';
import { assertThat } from './assert.ts';
import { cmdScript } from './cmd-script.ts';
import { cmdRun, cmdWait } from './cmd.ts';
import { httpQuery } from './http-query.ts';
import {
  testConfigurable,
  testFailWithChanges,
  testFailWithoutChanges,
  testNop,
  testShowNotification,
  testSucceedWithChanges,
  testSucceedWithoutChanges,
} from './test.ts';

/** Commands and checks of one's own. */
export const commands: readonly StateType[] = [
  cmdRun,
  cmdWait,
  cmdScript,
  assertThat,
  httpQuery,
  testNop,
  testSucceedWithoutChanges,
  testSucceedWithChanges,
  testFailWithoutChanges,
  testFailWithChanges,
  testConfigurable,
  testShowNotification,
];
