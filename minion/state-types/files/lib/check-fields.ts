import { z } from 'zod';

/** How new content is judged before it is put in place. */
export const checkFields = {
  check_cmd: z
    .union([z.string().min(1), z.array(z.string().min(1)).min(1)])
    .exactOptional()
    .describe(
      'A command line, or several, that must accept the new content before it is put in place, in a plan as well: the path of a copy is its last argument',
    ),
  tmp_ext: z
    .string()
    .regex(/^\.[\w.-]+$/u)
    .exactOptional()
    .describe('How the name of that copy ends, where the command looks at it'),
};
