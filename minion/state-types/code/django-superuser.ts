import { z } from 'zod';
import type { Change } from '../../../shared/change.ts';
import { ConductorError } from '../../../shared/errors.ts';
import { defineState } from '../../engine/state-type.ts';
import type { Host, HostView } from '../../host/host.ts';
import { failed } from '../lib/ask.ts';
import { singleLine } from '../lib/fields.ts';
import { said } from '../lib/said.ts';
import { needsOf, projectFields, queryDjango, runInDjango, word } from './lib/django.ts';

type Superuser = {
  email: string;
  is_active: boolean;
  is_superuser: boolean;
  is_staff: boolean;
  /** Whether the password that is asked for is the one that logs in. */
  password_works: boolean;
};

const schema = z
  .strictObject({
    ...projectFields,
    username: z
      .string()
      .regex(/^[\w.@+-]{1,150}$/u, { error: 'expected a user name of Django' })
      .describe('The name that the superuser logs in with'),
    email: singleLine
      .exactOptional()
      .describe('Address; left alone, or empty for a new user, if absent'),
    password: z
      .string()
      .min(1)
      .exactOptional()
      .describe('The password; a new user cannot log in by password if absent')
      .meta({ secret: true }),
    refresh_password: z
      .boolean()
      .default(true)
      .describe('`false` gives the password to a new user only and leaves later changes alone'),
    database: word
      .exactOptional()
      .describe('Name of the database in the settings; `default` if absent'),
  })
  .describe(
    'A superuser of a Django project who may log in to its administration, in whatever model of users the project has. ' +
      'The password is checked as Django itself does it, and reaches it on standard input only.',
  );
type Args = z.infer<typeof schema>;

export const djangoSuperuser = defineState<Args, Superuser>({
  name: 'django.superuser',
  schema,
  example: `openknesset admin:
  django.superuser:
    name: /srv/projects/openknesset/code
    virtualenv: /srv/environments/openknesset
    user: openknesset
    username: admin
    email: admin@example.org
    password: "{{ pillar.databases.openknesset.password }}"
`,
  needs: (args) => [...needsOf(args), `migrations:${args.name}`],
  read,
  want: ({ email, password, refresh_password: refreshes }) => ({
    ...said({ email }),
    is_active: true,
    is_superuser: true,
    is_staff: true,
    ...(password === undefined || !refreshes ? {} : { password_works: true }),
  }),
  apply,
});

const answer = z.union([
  z.strictObject({ there: z.literal(false) }),
  z.strictObject({ unmigrated: z.string() }),
  z.strictObject({
    there: z.literal(true),
    email: z.string(),
    is_active: z.boolean(),
    is_superuser: z.boolean(),
    is_staff: z.boolean(),
    password_works: z.boolean(),
  }),
]);

async function read(args: Args, host: HostView): Promise<Superuser | null> {
  const words = ['shell', `--command=${LOOK}`];
  const output = await queryDjango(host, args, words, inputOf(args));
  if (output.exitCode !== 0)
    throw failed(
      `look for the superuser "${args.username}" of "${args.name}"`,
      ['manage.py'],
      output,
    );
  const last = output.stdout.trim().split('\n').at(-1) ?? '';
  const found = answer.parse(JSON.parse(last));
  if ('unmigrated' in found) {
    throw new ConductorError(
      'STATE_REFUSED',
      `Cannot look for the superuser "${args.username}": the database of "${args.name}" has no users yet (django.migrated makes its tables): ${found.unmigrated}`,
      { lacks: [`migrations:${args.name}`] },
    );
  }
  if (!found.there) return null;
  const { there: _there, ...user } = found;
  return user;
}

async function apply(change: Change<Superuser>, args: Args, host: Host): Promise<void> {
  if (change.action === 'remove') return;
  const hasNewPassword = change.action === 'create' || change.to.password_works === true;
  const password = hasNewPassword ? args.password : undefined;
  const { password: _old, ...others } = args;
  const input = inputOf({ ...others, ...said({ password }) });
  await runInDjango(host, args, { program: BRING_ABOUT, input });
}

function inputOf({ username, email, password, database = 'default' }: Args): string {
  return JSON.stringify({ username, database, ...said({ email, password }) });
}

/** In the model's own words: a project may have users of its own kind. */
const FIND = `import json, sys
from django.contrib.auth import get_user_model
from django.db.utils import OperationalError, ProgrammingError
asked = json.load(sys.stdin)
User = get_user_model()
users = User._default_manager.db_manager(asked["database"])
email = getattr(User, "EMAIL_FIELD", "email")
`;

const LOOK = `${FIND}
try:
    user = users.filter(**{User.USERNAME_FIELD: asked["username"]}).first()
    if user is None:
        print(json.dumps({"there": False}))
    else:
        print(json.dumps({"there": True, "email": getattr(user, email, ""), "is_active": bool(user.is_active), "is_superuser": bool(user.is_superuser), "is_staff": bool(user.is_staff), "password_works": __import__("django.contrib.auth.hashers", fromlist=["x"]).check_password(asked.get("password") or "", user.password)}))
except (OperationalError, ProgrammingError) as error:
    print(json.dumps({"unmigrated": str(error)}))
`;

const BRING_ABOUT = `${FIND}
user = users.filter(**{User.USERNAME_FIELD: asked["username"]}).first()
if user is None:
    user = User(**{User.USERNAME_FIELD: asked["username"]})
    user.set_unusable_password()
if "email" in asked:
    setattr(user, email, asked["email"])
if "password" in asked:
    user.set_password(asked["password"])
user.is_active = user.is_superuser = user.is_staff = True
user.save(using=asked["database"])
`;
