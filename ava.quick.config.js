import all from './ava.config.js';

/** For the edit-test loop: the unit tests but those that start programs, wait for real clocks or try thousands of inputs. */
const SLOW = [
  'editors/yaml-language-server',
  'master/apply',
  'master/commands',
  'master/custom-types',
  'master/jobs-commands',
  'master/rollout',
  'master/serve',
  'minion/agent/runs',
  'minion/command-line',
  'minion/host/commands',
  'minion/run/drift',
  'minion/run/run',
  'protocol/handshake',
];

export default {
  ...all,
  files: [...all.files, ...SLOW.map((name) => `!build/js/test/${name}.test.js`)],
};
