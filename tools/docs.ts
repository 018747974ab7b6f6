import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { referencePages } from './reference.ts';

/** `npm run docs`: writes the reference below `docs/` from the code. */

rmSync('docs/states', { recursive: true, force: true });
for (const [path, text] of referencePages()) {
  mkdirSync(dirname(join('docs', path)), { recursive: true });
  writeFileSync(join('docs', path), text);
}
