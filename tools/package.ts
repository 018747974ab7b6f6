/**
 * `npm run package`: makes `build/conductor_VERSION_amd64.deb` from `dist/`, the shipped tree and the Node that runs
 * this. The same commit and the same Node give the same bytes.
 */
import { execaSync } from 'execa';
import {
  chmodSync,
  cpSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { gzipSync } from 'node:zlib';

const STAGE = 'build/deb';
const LIBRARY = '/usr/lib/conductor';
const DOCS = '/usr/share/doc/conductor';
/** Packages that are not bundled: the database driver, and what finds its native half. */
const SHIPPED_PACKAGES = ['@photostructure/sqlite', 'node-gyp-build'];

const { version } = readPackage('.');
process.umask(0o022);
rmSync(STAGE, { recursive: true, force: true });
programs();
packages();
configuration();
shippedTree();
documents();
control();
normalizeModes(STAGE);
console.log(makePackage());

function readPackage(directory: string): { name: string; version: string; license?: string } {
  return JSON.parse(readFileSync(join(directory, 'package.json'), 'utf8'));
}

function copy(from: string, to: string): void {
  mkdirSync(join(STAGE, dirname(to)), { recursive: true });
  cpSync(from, join(STAGE, to), { recursive: true });
}

function write(path: string, content: string | Uint8Array): void {
  mkdirSync(join(STAGE, dirname(path)), { recursive: true });
  writeFileSync(join(STAGE, path), content);
}

function programs(): void {
  copy('dist', LIBRARY);
  // The bundles are ES modules; nothing above them says so.
  write(`${LIBRARY}/package.json`, `${JSON.stringify({ type: 'module', version })}\n`);
  copy(process.execPath, `${LIBRARY}/node`);
  chmodSync(join(STAGE, LIBRARY, 'node'), 0o755);
  if (hasProgram('strip')) execaSync('strip', [join(STAGE, LIBRARY, 'node')]);
  for (const program of ['master', 'minion']) {
    copy(`packaging/debian/conductor-${program}`, `/usr/bin/conductor-${program}`);
    symlinkSync(`conductor-${program}`, join(STAGE, 'usr/bin', program));
    copy(
      `packaging/systemd/conductor-${program}.service`,
      `/usr/lib/systemd/system/conductor-${program}.service`,
    );
  }
}

function hasProgram(name: string): boolean {
  return (process.env['PATH'] ?? '')
    .split(':')
    .some((directory) => existsSync(join(directory, name)));
}

/** Of the native builds only that for Debian's C library on this architecture. */
function packages(): void {
  for (const name of SHIPPED_PACKAGES) {
    const from = join('node_modules', name);
    const to = `${LIBRARY}/node_modules/${name}`;
    for (const entry of readdirSync(from)) {
      if (['prebuilds', 'src', 'scripts', 'binding.gyp'].includes(entry)) continue;
      copy(join(from, entry), `${to}/${entry}`);
    }
    const native = join(from, 'prebuilds', `linux-${process.arch}`);
    if (!existsSync(native)) continue;
    for (const file of readdirSync(native).filter((one) => one.includes('glibc'))) {
      copy(join(native, file), `${to}/prebuilds/linux-${process.arch}/${file}`);
    }
  }
}

function configuration(): void {
  for (const program of ['master', 'minion']) {
    copy(`packaging/etc/${program}.yaml`, `/etc/conductor/${program}.yaml`);
    mkdirSync(join(STAGE, `etc/conductor/${program}.d`), { recursive: true });
  }
  copy('packaging/debian/sysusers.conf', '/usr/lib/sysusers.d/conductor.conf');
  copy('packaging/debian/tmpfiles.conf', '/usr/lib/tmpfiles.d/conductor.conf');
}

function shippedTree(): void {
  for (const folder of ['states', 'pillars', 'templates'])
    copy(folder, `/usr/share/conductor/${folder}`);
}

function documents(): void {
  copy('docs', DOCS);
  copy('README.md', `${DOCS}/README.md`);
  copy('packaging/debian/copyright', `${DOCS}/copyright`);
  write(`${DOCS}/changelog.gz`, gzipSync(readFileSync('CHANGELOG.md'), { level: 9 }));
  write(`${DOCS}/licenses/packages`, bundledLicenses());
  write(`${DOCS}/licenses/node`, nodeLicense());
}

/** The license of every package that the programs are made of. */
function bundledLicenses(): string {
  const { stdout: tree } = execaSync('npm', ['ls', '--omit=dev', '--all', '--parseable']);
  const directories = tree.split('\n').filter((line) => line.includes('/node_modules/'));
  const texts = [...new Set(directories)].map((directory) => {
    const { name, version: its, license = 'see below' } = readPackage(directory);
    const file = readdirSync(directory).find((entry) =>
      /^licen[cs]e(?:\.(?:md|txt))?$/iu.test(entry),
    );
    const text = file === undefined ? '' : readFileSync(join(directory, file), 'utf8').trimEnd();
    return `${'='.repeat(72)}\n${name} ${its} (${license})\n\n${text}\n`;
  });
  return texts.toSorted().join('\n');
}

function nodeLicense(): string {
  const prefix = dirname(dirname(process.execPath));
  const candidates = [
    'LICENSE',
    'share/doc/nodejs/LICENSE',
    'share/doc/node/LICENSE',
    'share/doc/nodejs/copyright',
  ];
  const found = candidates.map((path) => join(prefix, path)).find((path) => existsSync(path));
  const head = `Node.js ${process.version}, https://nodejs.org/\n\n`;
  return found === undefined
    ? `${head}Its license stands in its source distribution.\n`
    : head + readFileSync(found, 'utf8');
}

function control(): void {
  const kilobytes = execaSync('du', ['-sk', '--apparent-size', STAGE]).stdout.split('\t')[0] ?? '0';
  const text = readFileSync('packaging/debian/control', 'utf8')
    .replace('@VERSION@', version)
    .replace('@SIZE@', kilobytes);
  write('/DEBIAN/control', text);
  for (const name of ['conffiles', 'postinst', 'prerm', 'postrm']) {
    copy(`packaging/debian/${name}`, `/DEBIAN/${name}`);
  }
}

/** The modes of the checkout depend on whose umask it was made with. */
function normalizeModes(directory: string): void {
  chmodSync(directory, 0o755);
  for (const entry of readdirSync(directory)) {
    const path = join(directory, entry);
    const status = lstatSync(path);
    if (status.isDirectory()) normalizeModes(path);
    else if (status.isFile()) chmodSync(path, isProgram(path) ? 0o755 : 0o644);
  }
}

function isProgram(path: string): boolean {
  const place = dirname(path).slice(STAGE.length);
  if (place === '/usr/bin' || path.endsWith(`${LIBRARY}/node`)) return true;
  return place === '/DEBIAN' && ['postinst', 'prerm', 'postrm'].includes(basename(path));
}

function makePackage(): string {
  const target = `build/conductor_${version}_amd64.deb`;
  const env = {
    ...process.env,
    SOURCE_DATE_EPOCH: process.env['SOURCE_DATE_EPOCH'] ?? commitTime(),
  };
  execaSync('dpkg-deb', ['--root-owner-group', '-Zzstd', '-z9', '--build', STAGE, target], {
    env,
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  const megabytes = (statSync(target).size / 1_048_576).toFixed(1);
  return `${target} (${megabytes} MB)`;
}

/** Of the newest commit; of this file where there is no git. */
function commitTime(): string {
  if (existsSync('.git') && hasProgram('git')) {
    return execaSync('git', ['log', '-1', '--format=%ct']).stdout;
  }
  return String(Math.floor(statSync('package.json').mtimeMs / 1000));
}
