import all from './ava.config.js';

/** For the edit-test loop: the unit tests but the longest, which start programs, wait for real clocks and disks or try thousands of inputs. */
const SLOW = [
  'editors/yaml-language-server',
  'master/agents',
  'master/apply',
  'master/commands',
  'master/custom-types',
  'master/drift',
  'master/jobs-commands',
  'master/rollout',
  'master/serve',
  'master/sessions',
  'master/store/store',
  'minion/agent/runs',
  'minion/agent/session',
  'minion/command-line',
  'minion/engine/run',
  'minion/host/commands',
  'minion/host/files',
  'minion/run/drift',
  'minion/run/run',
  'protocol/channel',
  'protocol/handshake',
  'tree/broken',
  'tree/salt',
];

export default {
  ...all,
  files: [...all.files, ...SLOW.map((name) => `!build/js/test/${name}.test.js`)],
};
