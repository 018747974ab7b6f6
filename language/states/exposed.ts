import { cameFrom } from '../pillars/provenance.ts';
import type { StateSchema } from '../state-schema.ts';
import { Secret } from '../../shared/secret.ts';
import type { MappingNode, Node, ScalarNode } from '../values/node.ts';
import type { Subject } from './check.ts';
import { exposedNamesOf } from './secret-names.ts';

const INSTEAD =
  'what a process is started with can be seen by others: give it on standard input, or in a file with mode 0600 ' +
  '(file.managed) whose path you give';

/** Reports secrets in arguments that reach the arguments or the environment of a process. */
export function refuseExposed(
  node: MappingNode,
  schema: StateSchema,
  { what, problems, chain }: Omit<Subject, 'node'>,
): void {
  const secrets = node.entries.flatMap(({ key, value }) => {
    const secret = secretIn(value);
    return secret === null ? [] : [{ key, secret }];
  });
  // To look into a schema is slow, and most states hold no secret.
  if (secrets.length === 0) return;
  const exposed = exposedNamesOf(schema);
  for (const { key, secret } of secrets.filter((one) => exposed.has(one.key))) {
    problems.add(secret.place, `"${key}" of ${what} cannot hold a secret`, {
      help: INSTEAD,
      chain: [...cameFrom(secret.from ?? []), ...chain],
    });
  }
}

/** The first secret in a value; `null` if it holds none. */
function secretIn(node: Node): ScalarNode | null {
  if (node.kind === 'scalar') return node.value instanceof Secret ? node : null;
  if (node.kind === 'broken') return null;
  const parts = node.kind === 'sequence' ? node.items : node.entries.map(({ value }) => value);
  for (const part of parts) {
    const found = secretIn(part);
    if (found !== null) return found;
  }
  return null;
}
