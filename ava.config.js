/** Unit tests, compiled by `npm run build:js`; those that boot Debian hosts are in ava.hosts.config.js. */
export default {
  files: ['build/js/test/**/*.test.js', '!build/js/test/hosts/**', '!build/js/test/e2e/**'],
  timeout: '60s',
};
