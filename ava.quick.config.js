import all from './ava.config.js';

/** For the edit-test loop: the unit tests but the longest, which start programs, wait for real clocks and disks, try thousands of inputs or compile whole trees. */
const SLOW = [
  'docs/reference',
  'editors/yaml-language-server',
  'master/agents',
  'master/apply',
  'master/commands',
  'master/custom-types',
  'master/drift',
  'master/jobs-commands',
  'master/parts',
  'master/pauses',
  'master/rollout',
  'master/serve',
  'master/sessions',
  'master/store/store',
  'minion/agent/runs',
  'minion/agent/session',
  'minion/command-line',
  'minion/custom-types/load',
  'minion/engine/drift/origin',
  'minion/engine/drift/wanted',
  'minion/engine/run',
  'minion/host/commands',
  'minion/host/files',
  'minion/run/drift',
  'minion/run/run',
  'minion/state-types/cases',
  'minion/state-types/contract',
  'protocol/channel',
  'protocol/crypto',
  'protocol/handshake',
  'tree/broken',
  'tree/salt',
  'tree/shipped',
];

export default {
  ...all,
  files: [...all.files, ...SLOW.map((name) => `!build/js/test/${name}.test.js`)],
};
