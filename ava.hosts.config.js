/** Tests on real, throw-away Debian hosts: minutes, root, one file after the other. */
export default {
  files: ['build/js/test/hosts/*.test.js', 'build/js/test/e2e/*.test.js'],
  timeout: '15m',
  concurrency: 1,
  workerThreads: false,
};
