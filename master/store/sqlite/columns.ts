import { z } from 'zod';
import { TARGET_STATES } from '../../../protocol/messages.ts';
import { countsSchema, reportSchema } from '../../../protocol/report.ts';
import { manifestEntrySchema } from '../../../protocol/run-request.ts';
import { rolloutSchema } from '../../jobs/rollout.ts';
import { jsonMapping } from '../../json-values.ts';
import { KEY_STATES } from '../store.ts';

/** Reads a column that holds JSON: a row that does not fit its schema is damage, and throws. */
export function column<T>(schema: { parse: (value: unknown) => T }): (text: string) => T {
  return (text) => schema.parse(JSON.parse(text));
}

export const namesColumn = column(z.array(z.string()));
export const countsColumn = column(countsSchema);
export const errorColumn = column(z.strictObject({ code: z.string(), message: z.string() }));
export const valuesColumn = column({ parse: jsonMapping });
export const rolloutColumn = column(rolloutSchema);
export const manifestColumn = column(z.array(manifestEntrySchema));
export const reportColumn = column(reportSchema);
// Of each row that is read.
const keyState = z.enum(KEY_STATES);
const targetState = z.enum(TARGET_STATES);
export const keyStateColumn = (text: string) => keyState.parse(text);
export const targetStateColumn = (text: string) => targetState.parse(text);
export const causeColumn = (text: string) => reportSchema.shape.cause.parse(text);
export const statusColumn = (text: string) => reportSchema.shape.status.parse(text);

/** SQL `null` stays `null`. */
export function orNull<T>(read: (text: string) => T, text: string | null): T | null {
  return text === null ? null : read(text);
}
