import { z } from 'zod';
import type { Change } from '../../../shared/change.ts';
import { ConductorError } from '../../../shared/errors.ts';
import { defineState } from '../../engine/state-type.ts';
import type { Host, HostView } from '../../host/host.ts';
import { EXPOSED, absolutePath, refusedArgument } from '../lib/fields.ts';
import {
  engineField,
  engineOf,
  IN_MEMORY,
  imageId,
  inspectOne,
  imageName,
  PULL_TIMEOUT_MS,
  pull,
} from './lib/containers.ts';

type Image = { id: string };
type Images = { images: readonly string[] };

const presentSchema = z
  .strictObject({
    name: imageName.describe(
      'The image, with its tag or digest: docker.io/library/nginx:1.27; the newest one if it has neither',
    ),
    tag: z
      .union([z.string().regex(/^\w[\w.-]{0,127}$/u), z.number()])
      .transform(String)
      .exactOptional()
      .describe('The tag, if `name` does not say it')
      .meta(EXPOSED),
    load: absolutePath
      .exactOptional()
      .describe('A file on the host, as `docker save` writes it, to take it from'),
    engine: engineField,
    force: refusedArgument(
      'an image that is there is not pulled again: say in `tag` which one it is to be',
    ),
    build: refusedArgument('images are built where they are made, not on the hosts that run them'),
    sls: refusedArgument('images are built where they are made, not on the hosts that run them'),
  })
  .refine(({ name, tag }) => tag === undefined || !/[@:][^/]*$/u.test(name), {
    error: 'the tag stands in `name` already',
    path: ['tag'],
  })
  .describe(
    'An image for containers is on the host: pulled by its tag or digest, or loaded from a file. One that is loaded is ' +
      'loaded again when the file holds another one of that name.',
  );
type PresentArgs = z.infer<typeof presentSchema>;

export const dockerImagePresent = defineState<PresentArgs, Image>({
  name: 'docker_image.present',
  schema: presentSchema,
  example: `solr image:
  docker_image.present:
    name: docker.io/library/solr
    tag: "8.11"
`,
  provides: (args) => [`image:${fullName(args)}`],
  needs: ({ load, engine }) => [
    ...(load === undefined ? [] : [`path:${load}`]),
    ...enginePackages(engine),
  ],
  async read(args, host) {
    const id = await imageId(await engineOf(args.engine, host), fullName(args), host);
    return id === null ? null : { id };
  },
  async want(args, host) {
    const id = args.load === undefined ? null : await idIn(args.load, host);
    return id === null ? {} : { id };
  },
  apply: bringOver,
});

const absentSchema = z
  .strictObject({
    name: imageName.describe('The image; only a title if `images` is given'),
    images: z.array(imageName).min(1).exactOptional().describe('Several images').meta(EXPOSED),
    force: z
      .boolean()
      .default(false)
      .describe('Whether containers that were made from it go as well'),
    engine: engineField,
  })
  .describe('Images for containers are not on the host, or not under these names.');
type AbsentArgs = z.infer<typeof absentSchema>;

export const dockerImageAbsent = defineState<AbsentArgs, Images>({
  name: 'docker_image.absent',
  schema: absentSchema,
  example: `no old solr:
  docker_image.absent:
    name: docker.io/library/solr:7
`,
  needs: ({ engine }) => enginePackages(engine),
  async read(args, host) {
    const images = await thereAmong(args, host);
    return images.length === 0 ? null : { images };
  },
  want: () => null,
  async refuses(_change, args, host) {
    if (args.force) return;
    for (const image of await thereAmong(args, host)) await guardUse(image, args, host);
  },
  async apply(_change, args, host) {
    const engine = await engineOf(args.engine, host);
    const force = args.force ? ['--force'] : [];
    const images = await thereAmong(args, host);
    if (images.length > 0) await host.run([engine, 'image', 'rm', ...force, '--', ...images]);
  },
});

async function thereAmong(args: AbsentArgs, host: HostView): Promise<string[]> {
  const { name, images = [name] } = args;
  const engine = await engineOf(args.engine, host);
  const ids = await Promise.all(images.map((image) => imageId(engine, image, host)));
  return images.filter((_image, index) => ids[index] !== null).toSorted();
}

const names = z.object({ RepoTags: z.array(z.string()).nullish() });

/** One that has another name only loses this one. */
async function guardUse(image: string, args: AbsentArgs, host: HostView): Promise<void> {
  const engine = await engineOf(args.engine, host);
  const found = await inspectOne(engine, { kind: 'image', name: image }, names, host);
  if ((found?.RepoTags ?? []).length > 1) return;
  const which = [`--filter=ancestor=${image}`, '--format={{.Names}}'] as const;
  const { stdout } = await host.query([engine, 'ps', '--all', ...which], IN_MEMORY);
  const [container = ''] = stdout.split('\n');
  if (container === '') return;
  throw new ConductorError(
    'STATE_REFUSED',
    `Cannot remove the image "${image}": the container "${container}" was made from it (force: true removes that too)`,
    { lacks: [] },
  );
}

async function bringOver(change: Change<Image>, args: PresentArgs, host: Host): Promise<void> {
  if (change.action === 'remove') return;
  const engine = await engineOf(args.engine, host);
  const name = fullName(args);
  if (args.load === undefined) return pull(engine, name, host);
  await host.run([engine, 'load', '--quiet', '--input', args.load], { timeoutMs: PULL_TIMEOUT_MS });
  if ((await imageId(engine, name, host)) !== null) return;
  throw new ConductorError(
    'SOURCE_MISSING',
    `Cannot load the image "${name}": "${args.load}" holds none of that name`,
  );
}

const manifest = z.array(z.object({ Config: z.string() }));

/** The id of the only image in a file; `null` if that cannot be told before it is loaded. */
async function idIn(path: string, host: HostView): Promise<string | null> {
  if ((await host.status(path)) === null) {
    throw new ConductorError(
      'SOURCE_MISSING',
      `Cannot load an image from "${path}": there is no such file`,
      { lacks: [`path:${path}`] },
    );
  }
  const argv = ['tar', '--extract', '--to-stdout', `--file=${path}`, 'manifest.json'] as const;
  const output = await host.query(argv);
  if (output.exitCode !== 0) return null;
  const [first, second] = manifest.parse(JSON.parse(output.stdout));
  if (first === undefined || second !== undefined) return null;
  return /(?<id>[0-9a-f]{64})(?:\.json)?$/u.exec(first.Config)?.groups?.['id'] ?? null;
}

function fullName({ name, tag }: PresentArgs): string {
  return tag === undefined ? name : `${name}:${tag}`;
}

function enginePackages(engine: 'docker' | 'podman' | undefined): string[] {
  if (engine === 'podman') return ['package:podman'];
  const docker = ['package:docker.io', 'package:docker-ce', 'service:docker'];
  return engine === 'docker' ? docker : [...docker, 'package:podman'];
}
