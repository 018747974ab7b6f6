import { z } from 'zod';
import { absolutePath } from '../lib/fields.ts';

const value = z.union([
  z.string().regex(/^[^\0\r\n]*$/u),
  z.number().transform(String),
  z.boolean().transform((isOn) => (isOn ? 'yes' : 'no')),
]);
const password = z
  .string()
  .regex(/^[^\0\r\n]{1,500}$/u, { error: 'expected a password on one line' })
  .exactOptional()
  .meta({ secret: true });

export const redisSchema = z
  .strictObject({
    name: absolutePath.describe('The configuration file, such as /etc/redis/redis.conf'),
    settings: z
      .record(
        z
          .string()
          .regex(/^[A-Za-z][\w-]{0,60}$/u, { error: 'expected the name of a directive' })
          .transform((name) => name.toLowerCase()),
        z.union([value.transform((one) => [one]), z.array(value), z.null().transform(() => [])]),
      )
      .default({})
      .describe(
        'Directives and their values as they stand in the file; a list is one line each, `null` takes the directive out',
      ),
    requirepass: password.describe('The password that clients must give'),
    masterauth: password.describe('The password that this server gives to the one that it copies'),
    service: z
      .string()
      .regex(/^[\w@.:-]{1,100}$/u)
      .default('redis-server')
      .describe('The service that runs on this file'),
    restart: z
      .boolean()
      .default(true)
      .describe(
        'Makes a running redis take it at once; false leaves that to a service that watches',
      ),
  })
  .refine(({ settings }) => !('requirepass' in settings) && !('masterauth' in settings), {
    error: 'a password is given as the argument of that name, which keeps it out of reports',
    path: ['settings'],
  })
  .refine(({ settings }) => !('name' in settings) && !('loaded' in settings), {
    error: 'redis has no such directive',
    path: ['settings'],
  })
  .describe(
    'Directives in the configuration of redis; those that are not declared stay as they are. Redis itself reads the new ' +
      'configuration first, before the file is touched. Then it is restarted if it runs, and if it does not come up the ' +
      'old file is put back and it is started on that.',
  );
export type Args = z.infer<typeof redisSchema>;
