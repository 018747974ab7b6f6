import test from 'ava';
import { readFileSync } from 'node:fs';
import { VERSION } from '../../shared/version.ts';

test('the version is that of the package', (t) => {
  const packageJson: unknown = JSON.parse(readFileSync('package.json', 'utf8'));
  t.like(packageJson, { version: VERSION });
});
