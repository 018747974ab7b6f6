import { SCALAR_STYLE, type ScalarEvent } from 'js-yaml';

/** Whether a scalar is written below its key, after `|` or `>`. */
export function isBlock({ style }: ScalarEvent): boolean {
  return style === SCALAR_STYLE.LITERAL_BLOCK || style === SCALAR_STYLE.FOLDED_BLOCK;
}

/** Which quotes a scalar has; a block counts as none. */
export function styleOf({ style }: ScalarEvent): 'plain' | 'single' | 'double' {
  if (style === SCALAR_STYLE.DOUBLE_QUOTED) return 'double';
  return style === SCALAR_STYLE.SINGLE_QUOTED ? 'single' : 'plain';
}
