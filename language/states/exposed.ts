import { cameFrom } from '../pillars/provenance.ts';
import type { StateSchema } from '../state-schema.ts';
import type { MappingNode } from '../values/node.ts';
import { secretsIn } from '../values/secrets-in.ts';
import type { Subject } from './check.ts';
import { exposedNamesOf, plainNamesOf } from './secret-names.ts';

const INSTEAD =
  'what a process is started with can be seen by others: give it on standard input, or in a file with mode 0600 ' +
  '(file.managed) whose path you give';

const IN_SIGHT =
  'everybody can see what a thing is called, where it is and whose it is: name it without the secret, or keep it in ' +
  'the pillar in plain if it is none';

/** Reports secrets in arguments that others can see: what a process is started with, and what things are called. */
export function refuseExposed(
  node: MappingNode,
  schema: Pick<StateSchema, 'schema'>,
  { what, problems, chain }: Omit<Subject, 'node'>,
): void {
  const secrets = node.entries.flatMap(({ key, value }) => {
    const [first] = secretsIn(value);
    return first === undefined ? [] : [{ key, secret: first.node }];
  });
  // To look into a schema is slow, and most states hold no secret.
  if (secrets.length === 0) return;
  const [exposed, plain] = [exposedNamesOf(schema), plainNamesOf(schema)];
  for (const { key, secret } of secrets) {
    if (!exposed.has(key) && !plain.has(key)) continue;
    problems.add(secret.place, `"${key}" of ${what} cannot hold a secret`, {
      help: exposed.has(key) ? INSTEAD : IN_SIGHT,
      chain: [...cameFrom(secret.from ?? []), ...chain],
    });
  }
}
