import { transform } from 'sucrase';

/**
 * Makes of a module in TypeScript or JavaScript the body of a function with `exports` and `require`,
 * line by line. A file of its own, so that only those load the parser who have something to parse.
 */
export function toFunctionBody(path: string, text: string): string {
  return transform(text, {
    transforms: path.endsWith('.ts') ? ['typescript', 'imports'] : ['imports'],
    filePath: path,
    disableESTransforms: true,
  }).code;
}

export type ToFunctionBody = typeof toFunctionBody;
