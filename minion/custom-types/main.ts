import { writeSync } from 'node:fs';
import { text } from 'node:stream/consumers';
import { describe, typesQuestion } from '../../language/described-types.ts';
import type { TypesAnswer, TypesQuestion } from '../../language/described-types.ts';
import { lint } from '../../language/lint.ts';
import type { Tree } from '../../language/tree.ts';
import { stateTypes } from '../state-types/index.ts';
import { badExamples } from './examples.ts';
import { loadCustomTypes } from './load.ts';

/**
 * A short-lived process that runs the code of a tree's own state types, so that the master need
 * not: the tree on standard input, what is to be known about them on the third descriptor.
 */
const ANSWER = 3;

const question = typesQuestion.parse(JSON.parse(await text(process.stdin)));
writeAll(JSON.stringify(await answer(question)));
process.exit();

async function answer({ isWhole, revision, files }: TypesQuestion): Promise<TypesAnswer> {
  const tree = treeOf({ revision, files });
  const { types, problems } = await loadCustomTypes(tree, stateTypes);
  const all = new Map([...stateTypes, ...types.map(({ type }) => [type.name, type] as const)]);
  const examples = isWhole ? badExamples(tree, types, all) : [];
  const rest = isWhole ? lint(tree, all, { isPartial: problems.length > 0 }) : [];
  return {
    problems: [...problems, ...examples, ...rest].map((problem) => ({
      ...problem,
      chain: [...problem.chain],
    })),
    types: types.map(({ type }) => describe(type)),
  };
}

function treeOf({ revision, files }: Pick<TypesQuestion, 'revision' | 'files'>): Tree {
  const contents = new Map(files.map(({ path, content }) => [path, content]));
  return {
    revision,
    manifest: files.map(({ path, sha256, size, mode }) => ({ path, sha256, size, mode })),
    read(path) {
      const content = contents.get(path);
      return content === undefined ? null : Buffer.from(content, 'base64');
    },
  };
}

function writeAll(answered: string): void {
  const bytes = Buffer.from(answered);
  for (let written = 0; written < bytes.length;) written += writeSync(ANSWER, bytes, written);
}
