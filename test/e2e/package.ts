import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
} from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { withLock } from '../hosts/lock.ts';

const execute = promisify(execFile);

/** All that goes into the Debian package. */
const INGREDIENTS = `
  shared language protocol master minion tools/build.ts tools/package.ts states pillars templates packaging docs
  README.md CHANGELOG.md package.json package-lock.json`
  .trim()
  .split(/\s+/u);
const DIRECTORY = 'build/e2e';

/** The Debian package of this checkout, as `npm run package` makes it: made once for the same sources. */
export async function ensurePackage(): Promise<string> {
  return withLock('package', async () => {
    const path = join(DIRECTORY, `conductor-${digestOfSources()}.deb`);
    if (existsSync(path)) return path;
    const { stdout } = await execute('npm', ['run', '--silent', 'package']);
    const [made = ''] = (stdout.trim().split('\n').at(-1) ?? '').split(' ');
    mkdirSync(DIRECTORY, { recursive: true });
    copyFileSync(made, `${path}.new`);
    renameSync(`${path}.new`, path);
    return path;
  });
}

function digestOfSources(): string {
  const hash = createHash('sha256').update(process.version);
  for (const file of INGREDIENTS.flatMap(filesIn)) {
    hash.update(`\0${file}\0`).update(readFileSync(file));
  }
  return hash.digest('hex').slice(0, 16);
}

function filesIn(path: string): string[] {
  if (path.includes('.')) return [path];
  return readdirSync(path, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .toSorted();
}
