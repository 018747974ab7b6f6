/**
 * Runs with the host's node and uses the parts of its npm that read versions. Reads what is asked on
 * standard input, {dir, packages, lock, omit}, and prints what is missing as JSON. Writes nothing.
 */
export const NPM_SCRIPT = String.raw`
const fs = require('fs');
const path = require('path');
const { createRequire } = require('module');

function answer(value) {
  process.stdout.write(JSON.stringify(value));
  process.exit(0);
}

const found = process.env.PATH.split(':').map((at) => path.join(at, 'npm')).find((at) => fs.existsSync(at));
if (found === undefined) answer({ refused: 'there is no program "npm" on this host' });
const script = fs.realpathSync(found);
const ofNpm = createRequire(script);
const parse = ofNpm('npm-package-arg');
const semver = ofNpm('semver');
const asked = JSON.parse(fs.readFileSync(0, 'utf8'));

function json(file) {
  try {
    return JSON.parse(fs.readFileSync(file, 'utf8'));
  } catch (error) {
    if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return null;
    throw error;
  }
}

function modules() {
  if (asked.dir !== undefined) return path.join(asked.dir, 'node_modules');
  const { execFileSync } = require('child_process');
  const words = ['root', '--global', '--logs-max=0', '--no-update-notifier'];
  return execFileSync(found, words, { encoding: 'utf8', env: { ...process.env, npm_config_cache: '/dev/null' } }).trim();
}

function isMissing(text, root) {
  const spec = parse(text, asked.dir || '/');
  if (!spec.name) answer({ refused: '"' + text + '" does not tell its name; say NAME@' + text });
  const there = json(path.join(root, spec.name, 'package.json'));
  if (there === null) return true;
  if (spec.type === 'version' || spec.type === 'range')
    return !semver.satisfies(there.version, spec.fetchSpec, { includePrerelease: true });
  return false;
}

function isOmitted(entry) {
  return asked.omit.some((kind) => entry[kind] || (entry.devOptional && ['dev', 'optional'].includes(kind) && asked.omit.includes('dev') && asked.omit.includes('optional')));
}

function lacking(dir) {
  const lock = json(path.join(dir, 'package-lock.json')) || json(path.join(dir, 'npm-shrinkwrap.json'));
  if (lock === null) answer({ refused: 'there is no package-lock.json in "' + dir + '"' });
  if (!lock.packages) answer({ refused: 'the package-lock.json in "' + dir + '" is of an npm before 7' });
  const hidden = json(path.join(dir, 'node_modules/.package-lock.json')) || { packages: {} };
  const wanted = Object.entries(lock.packages).filter(([at, entry]) => at.includes('node_modules/') && !isOmitted(entry));
  const missing = wanted.filter(([at, entry]) => {
    const there = hidden.packages[at];
    const isThere = json(path.join(dir, at, 'package.json')) !== null;
    if (entry.optional && !there && !isThere) return false;
    return !isThere || !there || there.version !== entry.version || there.integrity !== entry.integrity;
  });
  return missing.map(([at, entry]) => at.split('node_modules/').pop() + (entry.version ? '@' + entry.version : ''));
}

const missing = asked.lock
  ? lacking(asked.dir)
  : asked.packages.length === 0 ? [] : asked.packages.filter(((root) => (one) => isMissing(one, root))(modules()));
answer({ missing: [...new Set(missing)].sort() });
`;
