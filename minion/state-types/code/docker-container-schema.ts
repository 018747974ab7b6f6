import { posix } from 'node:path';
import { z } from 'zod';
import {
  EXPOSED,
  absolutePath,
  environment,
  idleArgument,
  singleLine,
  tcpPort,
} from '../lib/fields.ts';
import { containerName, engineField, imageName } from './lib/containers.ts';

const words = z.union([
  z
    .string()
    .regex(/^[^'"\\$`\r\n]+$/u, { error: 'what has quotes in it is to be a list of words' })
    .transform((line) => line.trim().split(/\s+/u)),
  z.array(z.union([z.string().regex(/^[^\0]*$/u), z.number()]).transform(String)).min(1),
]);

const list = <T extends z.ZodType>(item: T) =>
  z.union([item.transform((one) => [one]), z.array(item)]);

const PORT =
  /^(?:(?<ip>[\d.]+|\[[0-9a-f:]+\]):)?(?<outside>\d{1,5}):(?<inside>\d{1,5})(?:\/(?<protocol>tcp|udp|sctp))?$/iu;

const port = z
  .string()
  .regex(PORT, { error: 'expected OUTSIDE:INSIDE, such as 127.0.0.1:8080:80' })
  .transform((text, context) => {
    const { ip, outside = '', inside = '', protocol = 'tcp' } = PORT.exec(text)?.groups ?? {};
    for (const one of [outside, inside]) {
      if (tcpPort.safeParse(one).success) continue;
      context.addIssue({ code: 'custom', message: `expected a port from 1 to 65535, not ${one}` });
    }
    const address = ip === undefined || ip === '0.0.0.0' ? '' : `${ip.replace(/[[\]]/gu, '')}:`;
    return `${address}${Number(outside)}:${Number(inside)}/${protocol}`;
  });

const bind = z
  .string()
  .regex(/^(?:\/[^:\0\n]+|[A-Za-z0-9][\w.-]*):\/[^:\0\n]*(?::(?:ro|rw))?$/u, {
    error: 'expected SOURCE:PATH or SOURCE:PATH:ro, with the source a path or the name of a volume',
  })
  .transform((text) => {
    const [source = '', inside = '', access = 'rw'] = text.split(':');
    return `${plain(source)}:${plain(inside)}:${access}`;
  });

/** As engines tell a path; the name of a volume stays as it is. */
function plain(path: string): string {
  return path.startsWith('/') ? posix.resolve(path) : path;
}

const UNITS: Readonly<Record<string, number>> = { b: 1, k: 1024, m: 1024 ** 2, g: 1024 ** 3 };

const bytes = z
  .union([
    z.int().positive(),
    z.string().regex(/^\d+[bkmg]?$/iu, { error: 'expected a size such as 512m' }),
  ])
  .transform((size) => {
    const { count = '', unit = 'b' } =
      /^(?<count>\d+)(?<unit>[bkmg])?/iu.exec(String(size))?.groups ?? {};
    return Number(count) * (UNITS[unit.toLowerCase()] ?? 1);
  });

const capabilities = list(z.string().regex(/^\w+$/u)).transform((names) =>
  names.map((name) => name.toUpperCase().replace(/^CAP_/u, '')).toSorted(),
);

/** Arguments of `docker_container.running`. */
export const runningSchema = z
  .strictObject({
    name: containerName.describe('Name of the container'),
    image: imageName.describe('The image that it is made from; pulled if it is not there'),
    command: words
      .exactOptional()
      .describe('What runs in it instead of what its image says, as words or a list of them')
      .meta(EXPOSED),
    entrypoint: singleLine
      .exactOptional()
      .describe('The program that gets the command as arguments')
      .meta(EXPOSED),
    environment: environment
      .refine((values) => Object.values(values).every((value) => !/[\r\n\0]/u.test(value)), {
        error: 'a variable of a container is one line',
      })
      .exactOptional()
      .describe('Variables; their values stand in no command line and in no plan')
      .meta({ secret: true }),
    port_bindings: list(port)
      .transform((ports) => ports.toSorted())
      .exactOptional()
      .describe('Ports of the host that lead to ports in it: 127.0.0.1:8080:80, 53:53/udp'),
    binds: list(bind)
      .transform((binds) => binds.toSorted())
      .exactOptional()
      .describe('Directories, files or named volumes that are seen in it: /srv/data:/data:ro')
      .meta(EXPOSED),
    network_mode: z
      .string()
      .regex(/^(?!-)[\w.:-]+$/u)
      .exactOptional()
      .describe('`bridge`, `host`, `none` or the name of a network')
      .meta(EXPOSED),
    restart_policy: z
      .string()
      .regex(/^(?:no|always|unless-stopped|on-failure(?::\d+)?)$/u, {
        error: 'expected no, always, unless-stopped, on-failure or on-failure:N',
      })
      .exactOptional()
      .describe('When it is started again: `no`, `always`, `unless-stopped`, `on-failure:5`'),
    labels: labelled().exactOptional().describe('Labels, as a mapping').meta(EXPOSED),
    user: z
      .union([z.int().nonnegative(), z.string().regex(/^(?!-)[\w.:-]+$/u)])
      .transform(String)
      .exactOptional()
      .describe('The user that it runs as, by name or number, also user:group'),
    working_dir: absolutePath.exactOptional().describe('The directory it starts in'),
    hostname: z
      .string()
      .regex(/^[A-Za-z0-9][A-Za-z0-9.-]*$/u)
      .exactOptional()
      .describe('Its host name')
      .meta(EXPOSED),
    memory: bytes.exactOptional().describe('The most memory that it may use, such as 512m'),
    privileged: z.boolean().exactOptional().describe('Whether it may do all that root may'),
    read_only: z.boolean().exactOptional().describe('Whether it cannot write to its own files'),
    cap_add: capabilities.exactOptional().describe('Capabilities that it has besides the usual'),
    cap_drop: capabilities.exactOptional().describe('Capabilities that it does not have'),
    start: z
      .boolean()
      .default(true)
      .describe('`false` leaves one that has been stopped by hand alone'),
    shutdown_timeout: z
      .int()
      .nonnegative()
      .default(10)
      .describe('Seconds to end in when it is stopped, before it is killed'),
    client_timeout: idleArgument('the `timeout` of the state is what counts'),
    skip_translate: idleArgument('arguments have one form'),
    ignore_collisions: idleArgument('arguments have one name'),
    validate_ip_addrs: idleArgument('the engine says what it does not take'),
    engine: engineField,
  })
  .describe(
    'A container runs, made from this image with these settings. One that differs in what is said here is replaced by ' +
      'a new one; what is not said is as the image and the engine have it. When something that it watches changes, it ' +
      'is restarted.',
  );

export type RunningArgs = z.infer<typeof runningSchema>;

function labelled() {
  return z.record(
    z.string().regex(/^[\w./-]+$/u, { error: 'expected the name of a label' }),
    z.union([z.string(), z.number(), z.boolean()]).transform(String),
  );
}
