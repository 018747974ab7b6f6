import { findHelper, HELPER_NAMES } from './helpers.ts';
import { BLOCK_HELPERS, SpotMistake } from './syntax-tree.ts';
import type { Block, BlockHelper, Expression, Literal, Part, Path } from './syntax-tree.ts';
import { hint } from '../values/hint.ts';

/** Takes over what Conductor understands of Handlebars' syntax tree, and refuses the rest. */
export function readParts({ body }: hbs.AST.Program): readonly Part[] {
  return body.flatMap((statement) => readStatement(statement));
}

function readStatement(statement: hbs.AST.Statement): Part[] {
  if (isContent(statement)) return [{ kind: 'text', text: statement.value }];
  if (isMustache(statement)) return [readOutput(statement)];
  if (isBlock(statement)) return [readBlock(statement)];
  if (statement.type === 'CommentStatement') return [];
  throw new SpotMistake(statement.loc.start, 'partials and decorators are not understood');
}

function readOutput(statement: hbs.AST.MustacheStatement): Part {
  const { path, params } = statement;
  const spot = path.loc.start;
  const value = isPath(path) && params.length > 0 ? readCall(statement) : readValue(path);
  if (!isPath(path) && params.length > 0) throw new SpotMistake(spot, 'a helper has a name');
  refuseNamed(statement.hash);
  return { kind: 'output', spot, value };
}

function readValue(node: hbs.AST.Expression): Expression {
  if (isSubExpression(node)) return readCall(node);
  return isPath(node) ? readPath(node) : readLiteral(node);
}

type Callable = { path: hbs.AST.Expression; params: hbs.AST.Expression[]; hash: hbs.AST.Hash };

function readCall({ path, params, hash }: Callable): Expression {
  const spot = path.loc.start;
  const name = isPath(path) ? path.original : '';
  const helper = findHelper(name);
  if (helper === undefined) {
    const help = hint(name, HELPER_NAMES, `the helpers are ${[...HELPER_NAMES].join(' ')}`);
    throw new SpotMistake(spot, `unknown helper "${name}"`, help);
  }
  refuseNamed(hash);
  if (params.length < helper.least || params.length > helper.most) {
    const message = `"${name}" got ${params.length === 1 ? '1 value' : `${params.length} values`}`;
    throw new SpotMistake(spot, message, `write {{${helper.usage}}}`);
  }
  return { kind: 'call', spot, helper: name, args: params.map(readValue) };
}

function refuseNamed(hash: hbs.AST.Hash | undefined): void {
  if (hash === undefined) return;
  throw new SpotMistake(hash.loc.start, 'helpers take no "name=value" arguments');
}

function readPath(path: hbs.AST.PathExpression): Path {
  const { original, depth, data, parts } = path;
  const isThis = /^(?:\.\.\/)*(?:this\b|\.(?:\/|$))/u.test(original) || original.endsWith('..');
  const spot = path.loc.start;
  return { kind: 'path', spot, original, up: depth, isLoopName: data, isThis, parts };
}

function readLiteral(node: hbs.AST.Expression): Literal {
  if (node.type === 'NullLiteral') return { kind: 'literal', spot: node.loc.start, value: null };
  if (isStringLiteral(node) || isNumberLiteral(node) || isBooleanLiteral(node)) {
    return { kind: 'literal', spot: node.loc.start, value: node.value };
  }
  throw new SpotMistake(node.loc.start, '"undefined" is no value', 'write null');
}

function readBlock(block: hbs.AST.BlockStatement): Block {
  const spot = block.path.loc.start;
  const helper = BLOCK_HELPERS.find((name) => name === block.path.original);
  if (helper === undefined) {
    const name = block.path.original;
    const help = `blocks are ${BLOCK_HELPERS.map((known) => `#${known}`).join(' ')}`;
    throw new SpotMistake(spot, `unknown block "#${name}"`, help);
  }
  refuseNamed(block.hash);
  const [subject, more] = block.params;
  if (subject === undefined || more !== undefined) {
    throw new SpotMistake(spot, `"#${helper}" takes one value`, 'put a call in parentheses');
  }
  const names = block.program.blockParams;
  return {
    kind: 'block',
    spot,
    helper,
    ...branches(block, helper, names),
    subject: readValue(subject),
  };
}

function branches(
  { program, inverse, path }: hbs.AST.BlockStatement,
  helper: BlockHelper,
  names: readonly string[] = [],
): Pick<Block, 'names' | 'body' | 'otherwise'> {
  const most = { if: 0, unless: 0, with: 1, each: 2 }[helper];
  if (names.length > most) {
    throw new SpotMistake(path.loc.start, `"#${helper}" binds at most ${most} names`);
  }
  return { names, body: partsOf(program), otherwise: partsOf(inverse) };
}

/** Handlebars leaves out a branch that is not written, whatever its types say. */
function partsOf(program: hbs.AST.Program | undefined): readonly Part[] {
  return program === undefined ? [] : readParts(program);
}

function isContent(node: hbs.AST.Node): node is hbs.AST.ContentStatement {
  return node.type === 'ContentStatement';
}

function isMustache(node: hbs.AST.Node): node is hbs.AST.MustacheStatement {
  return node.type === 'MustacheStatement';
}

function isBlock(node: hbs.AST.Node): node is hbs.AST.BlockStatement {
  return node.type === 'BlockStatement';
}

function isPath(node: hbs.AST.Node): node is hbs.AST.PathExpression {
  return node.type === 'PathExpression';
}

function isSubExpression(node: hbs.AST.Node): node is hbs.AST.SubExpression {
  return node.type === 'SubExpression';
}

function isStringLiteral(node: hbs.AST.Node): node is hbs.AST.StringLiteral {
  return node.type === 'StringLiteral';
}

function isNumberLiteral(node: hbs.AST.Node): node is hbs.AST.NumberLiteral {
  return node.type === 'NumberLiteral';
}

function isBooleanLiteral(node: hbs.AST.Node): node is hbs.AST.BooleanLiteral {
  return node.type === 'BooleanLiteral';
}
