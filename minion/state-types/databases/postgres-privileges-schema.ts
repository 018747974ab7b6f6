import { z } from 'zod';
import { PRIVILEGES, signatureOf } from './lib/postgres-acl.ts';
import type { Kind } from './lib/postgres-acl.ts';
import { objectName, serverFields } from './lib/postgres-fields.ts';

const KINDS = [
  'database',
  'schema',
  'tablespace',
  'language',
  'table',
  'sequence',
  'function',
  'group',
] as const satisfies readonly Kind[];

const fields = {
  name: objectName.describe('The role that has the privileges; `public` is everybody'),
  object_name: z
    .string()
    .regex(/^[^\0\r\n]{1,300}$/u, { error: 'expected the name of an object' })
    .describe(
      'The object that they are on; a function with the types of its arguments, `ALL` for every table, sequence or function of a schema',
    ),
  object_type: z
    .enum(KINDS)
    .describe('What kind of object it is; a view is a `table`, membership of a role is a `group`'),
  privileges: z
    .union([z.string().transform((text) => text.split(',')), z.array(z.string())])
    .refine((names) => names.length > 0, { error: 'expected at least one privilege' })
    .transform((names) => names.map((name) => name.trim().toUpperCase()))
    .default(['ALL'])
    .describe(
      'Names of privileges as PostgreSQL gives them, or ALL: every one but MAINTAIN, which older servers do not have',
    ),
  prepend: objectName.default('public').describe('The schema of a table, sequence or function'),
  ...serverFields,
};

export const presentSchema = z
  .strictObject({
    ...fields,
    grant_option: z.boolean().exactOptional().describe('May pass them on'),
  })
  .transform((args, context) => ({ ...args, ...expanded(args, context) }))
  .describe(
    'At least these privileges of a role on a database, schema, table, sequence, function, language or tablespace, or ' +
      'its membership in a group. For what lies in a database, give that database as `maintenance_db`.',
  );

export const absentSchema = z
  .strictObject(fields)
  .transform((args, context) => ({ ...args, ...expanded(args, context) }))
  .describe(
    'None of these privileges of a role on an object. What everybody may do, a role still may: revoke that from `public`.',
  );
export type Args = z.infer<typeof absentSchema> & { grant_option?: boolean };

interface Named {
  readonly privileges: readonly string[];
  readonly object_type: Kind;
  readonly object_name: string;
}

/** The privileges in order, `ALL` as all that there are, and the object as the server writes it. */
function expanded(
  { privileges, object_type, object_name }: Named,
  context: z.RefinementCtx,
): { privileges: readonly string[]; object_name: string } {
  const all: readonly string[] = PRIVILEGES[object_type];
  const known = object_type === 'table' ? [...all, 'MAINTAIN'] : all;
  const names = privileges.flatMap((name) => {
    if (name === 'ALL' || name === 'ALL PRIVILEGES') return all;
    return name === 'TEMP' ? ['TEMPORARY'] : [name];
  });
  for (const name of names) {
    if (known.includes(name)) continue;
    const message = `a ${object_type} has no privilege "${name}", only ${known.join(', ')}`;
    context.addIssue({ code: 'custom', path: ['privileges'], message });
  }
  const canonical = { privileges: [...new Set(names)].toSorted(), object_name };
  if (object_type !== 'function' || object_name === 'ALL') return canonical;
  const signature = signatureOf(object_name);
  if (signature !== null) {
    return { ...canonical, object_name: `${signature.name}(${signature.types})` };
  }
  const message = 'expected a function with the types of its arguments, such as total(integer)';
  context.addIssue({ code: 'custom', path: ['object_name'], message });
  return canonical;
}
