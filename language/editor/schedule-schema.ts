import type { JsonSchema } from './json-schema.ts';
import { EXPRESSION } from './json-schema.ts';

/** The JSON Schema of a pillar's `schedule`: when minions come by themselves. */
export function scheduleSchema(): JsonSchema {
  return mapping('When the minion comes by itself: once a day if nothing is said', {
    cron: text('Five fields, such as "30 2 * * mon-fri", or @daily and its like'),
    at: text('A time of day, such as "03:00"'),
    every: text(
      'A time such as 6h, spread over the whole of it; `never` leaves it to `master apply`',
    ),
    timezone: text("A name such as Asia/Jerusalem or UTC; the machine's own if absent"),
    splay: text(
      'Up to how much later than `cron` or `at` each minion comes, always the same; 1h if absent',
    ),
    windows: mapping('When it may come: what is due outside of them waits for them to open', {
      allow: spans('Only in these'),
      deny: spans('In none of these'),
    }),
    catch_up: {
      description: 'Makes up, once, what was missed; true if absent',
      anyOf: [{ type: 'boolean' }, EXPRESSION],
    },
    timeout: text('How long such a run may take; 1h if absent'),
    on_failure: {
      description: 'What follows on a failure; `wait`, for the next time, if absent',
      anyOf: [{ enum: ['wait'] }, retry(), EXPRESSION],
    },
  });
}

function retry(): JsonSchema {
  return mapping('Tries again, but never past the next regular time', {
    retry_after: text('How much later, such as 15m'),
    attempts: { description: 'How often; 3 if absent', type: ['integer', 'string'] },
  });
}

function spans(description: string): JsonSchema {
  const days = {
    description: 'sun, mon, tue, wed, thu, fri or sat; every day if absent',
    type: ['array', 'string'],
  };
  const span = mapping('Of some days', { days, time: text('Such as "22:00-06:00"') });
  const one = [text('Such as "22:00-06:00", by the clock of `timezone`'), span];
  return { description, anyOf: [...one, { type: 'array', items: { anyOf: one } }] };
}

function text(description: string): JsonSchema {
  return { description, type: 'string' };
}

/** Other files may have said a part of it: `+` adds to that, and `-` takes of it away. */
function mapping(description: string, properties: JsonSchema): JsonSchema {
  const merged = { '^[-+].': {} };
  return {
    description,
    type: 'object',
    properties,
    patternProperties: merged,
    additionalProperties: false,
  };
}
