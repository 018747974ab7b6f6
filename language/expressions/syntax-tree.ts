import type { Data, Scalar } from '../values/data.ts';

/** Where something stands in a text: lines count from 1, columns from 0, as Handlebars counts. */
export interface Spot {
  readonly line: number;
  readonly column: number;
}

export type Expression = Literal | Path | Call;

export interface Literal {
  readonly kind: 'literal';
  readonly spot: Spot;
  readonly value: Scalar;
}

/** `pillar.web.port`, `this`, `../name`, `@index`. */
export interface Path {
  readonly kind: 'path';
  readonly spot: Spot;
  readonly original: string;
  /** How many `../`. */
  readonly up: number;
  /** `@index`, `@key`, `@first`, `@last`, `@root`. */
  readonly isLoopName: boolean;
  /** `this.name`: looked for in the item only. */
  readonly isThis: boolean;
  readonly parts: readonly string[];
}

export interface Call {
  readonly kind: 'call';
  readonly spot: Spot;
  readonly helper: string;
  readonly args: readonly Expression[];
}

export type Part =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'output'; readonly spot: Spot; readonly value: Expression }
  | Block;

export interface Block {
  readonly kind: 'block';
  readonly spot: Spot;
  readonly helper: BlockHelper;
  readonly subject: Expression;
  /** `as |item index|` */
  readonly names: readonly string[];
  readonly body: readonly Part[];
  readonly otherwise: readonly Part[];
}

export const BLOCK_HELPERS = ['if', 'unless', 'each', 'with'] as const;

export type BlockHelper = (typeof BLOCK_HELPERS)[number];

/** A mistake at a spot of a text; the caller knows where the text stands. */
export class SpotMistake extends Error {
  override readonly name = 'SpotMistake';
  readonly spot: Spot;
  readonly help: string | null;
  /** The value that lacks something, where that is the mistake. */
  readonly owner: Data | undefined;

  constructor(spot: Spot, message: string, help: string | null = null, owner?: Data) {
    super(message);
    this.spot = spot;
    this.help = help;
    this.owner = owner;
  }
}
