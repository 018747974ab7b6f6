import type { StateType } from '../../engine/state-type.ts';
import { groupSchema } from './postgres-user-schema.ts';
import { postgresUserAbsent, postgresUserPresent } from './postgres-user.ts';

/** To the server a group is a role like any other. */
export const postgresGroupPresent: StateType = {
  ...postgresUserPresent,
  name: 'postgres_group.present',
  schema: groupSchema,
  example: `who may read the reports:
  postgres_group.present:
    name: readers
`,
};

export const postgresGroupAbsent: StateType = {
  ...postgresUserAbsent,
  name: 'postgres_group.absent',
  schema: postgresUserAbsent.schema.describe(
    'No PostgreSQL role of that name. Whoever was a member of it is one no more. A role that owns something, or has ' +
      'privileges, is not dropped.',
  ),
  example: `nobody reads the reports:
  postgres_group.absent:
    name: readers
`,
};
