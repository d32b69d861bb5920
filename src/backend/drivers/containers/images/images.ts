/** Images of the engine. */
import type { Readable } from 'node:stream';
import type Dockerode from 'dockerode';
import { BerthError } from '../../../../api/errors';
import { imageName, versionOf } from '../../../../api/rules/image-reference';
import type { Image } from '../../../../api/engine/schemas';
import type { ImageStore, PullProgress, SavedImage } from '../../driver';
import { claimImage } from '../volumes/claims';
import { isStatus, toBerthError } from '../engine/docker-errors';
import type { HostEnvironment } from '../../../machine/host-environment';
import type { Endpoint } from '../engine/endpoint';
import { buildImages } from './image-build';
import { isInternalContainer, label } from '../engine/labels';
import { followProgress } from '../engine/progress-stream';
import { PullSum } from './pull-progress';
import { renamedImage } from '../../../images/oci/renamed';
import { registryAuth } from '../../../images/registry-auth';
import { nameOf } from '../runtime/runtime-info';
import { toReadable, withErrorsOf } from '../engine/streams';
import { throwIfCancelled } from '../../../machine/wait';

const pullTimeoutMs = 24 * 60 * 60_000;

export interface ImagesOptions {
  environment: HostEnvironment;
  /** The folder `images/`. */
  folder: string;
  toolsImage: string;
}

export class ContainerImages implements ImageStore {
  private building: Promise<unknown> = Promise.resolve();

  constructor(
    private readonly endpoint: Endpoint,
    private readonly options: ImagesOptions,
  ) {}

  /** Images with a name, and nameless ones of ours, or that a container still uses; not the layers of the build cache. */
  async list(): Promise<Image[]> {
    return this.endpoint.call('list images', async (docker) => {
      const [images, containers] = await Promise.all([
        docker.listImages(),
        docker.listContainers({ all: true }),
      ]);
      const users = usersOf(containers);
      return images
        .filter((image) => !isPrivate(image))
        .map((image) => ({ image: toImage(image, users), isOurs: hasLabelOfOurs(image) }))
        .filter(({ image: { tags, usedBy }, isOurs }) => isOurs || tags.length + usedBy.length > 0)
        .map(({ image }) => image);
    });
  }

  async resolve(image: string): Promise<string | undefined> {
    return this.endpoint.call(`look at the image ${image}`, async (docker) => {
      try {
        return (await docker.getImage(image).inspect()).Id;
      } catch (error) {
        if (isStatus(error, 404)) {
          return undefined;
        }
        throw error;
      }
    });
  }

  async pull(image: string, progress: (p: PullProgress) => void, signal: AbortSignal): Promise<void> {
    const name = imageName(image);
    const { repository, registry } = name;
    const tag = versionOf(name);
    const authconfig = await registryAuth(registry, this.options.environment);
    const what = `pull ${image}`;
    const sum = new PullSum();
    await this.endpoint.call(
      what,
      async (docker) => {
        try {
          const answer = await docker.createImage({
            fromImage: repository,
            tag,
            abortSignal: signal,
            ...(authconfig !== undefined && { authconfig }),
          });
          await followProgress(toReadable(answer), signal, (line) => progress(sum.add(line)));
        } catch (error) {
          throw explainPull(image, error);
        }
      },
      { timeoutMs: pullTimeoutMs, signal },
    );
    await this.refuseForeign(image);
  }

  async push(image: string, progress: (p: PullProgress) => void, signal: AbortSignal): Promise<void> {
    const name = imageName(image);
    const { repository, registry } = name;
    const tag = versionOf(name);
    const authconfig = await registryAuth(registry, this.options.environment);
    const sum = new PullSum('Pushing');
    await this.endpoint.call(
      `push ${image}`,
      async (docker) => {
        try {
          const answer = await docker.getImage(repository).push({
            tag,
            abortSignal: signal,
            // It wants some, also where nobody has logged in.
            authconfig: authconfig ?? { serveraddress: registry ?? '' },
          });
          await followProgress(toReadable(answer), signal, (line) => progress(sum.add(line)));
        } catch (error) {
          throw explainPull(image, error, 'push');
        }
      },
      { timeoutMs: pullTimeoutMs, signal },
    );
  }

  async save(image: string, signal: AbortSignal): Promise<SavedImage> {
    const what = `save ${image}`;
    return this.endpoint.call(
      what,
      async (docker) => {
        const { Size: totalBytes } = await docker.getImage(image).inspect();
        const tar = toReadable(await docker.getImage(image).get());
        return { tar: withErrorsOf(tar, (error) => toBerthError(error, what)), totalBytes };
      },
      { timeoutMs: pullTimeoutMs, signal },
    );
  }

  /** Loads what `docker save` wrote. Throws `bad_request` where no image has come of it. */
  async load(image: string, tar: Readable, signal: AbortSignal): Promise<void> {
    const what = `load ${image}`;
    await this.endpoint.call(
      what,
      async (docker) => {
        const named = renamedImage(tar, image);
        // It ends by what was wrong with the tar, which the engine only sees cut off.
        let broken: unknown;
        named.on('error', (error) => (broken ??= error));
        try {
          const answer = await docker.loadImage(named, { quiet: true, abortSignal: signal });
          await followProgress(toReadable(answer), signal, () => undefined);
        } catch (error) {
          throw broken ?? error;
        } finally {
          named.destroy();
        }
      },
      { timeoutMs: pullTimeoutMs, signal },
    );
    if ((await this.resolve(image)) === undefined) {
      throw new BerthError('bad_request', `What was loaded as ${image} is no image.`, { field: 'image' });
    }
    await this.refuseForeign(image).catch(async (error: unknown) => {
      await this.remove(image).catch(() => undefined);
      throw error;
    });
  }

  async remove(image: string): Promise<void> {
    await this.endpoint.call(`remove the image ${image}`, (docker) => docker.getImage(image).remove());
  }

  /** One after the other, as they give names to the same images; one that is cancelled waits no longer. */
  async build(...build: Parameters<ImageStore['build']>): Promise<void> {
    const signal = build[3];
    const before = this.building;
    const mine = unlessCancelled(before, signal).then(() => this.buildNow(...build));
    this.building = Promise.allSettled([before, mine]);
    await mine;
  }

  private async buildNow(...[options, step, line, signal]: Parameters<ImageStore['build']>): Promise<void> {
    const parts = {
      endpoint: this.endpoint,
      folder: this.options.folder,
      toolsImage: this.options.toolsImage,
      wantedBase: this.options.environment.env.BERTH_BASE_IMAGE,
      pull: (image: string, cancelled: AbortSignal) =>
        this.pull(image, ({ current }) => line(current), cancelled),
    };
    await buildImages(parts, options, step, line, signal);
  }

  /** An image that names one processor only is pulled without a word, and could not run here. */
  private async refuseForeign(image: string): Promise<void> {
    await this.endpoint.call(`look at the image ${image}`, async (docker) => {
      const [pulled, engine] = await Promise.all([docker.getImage(image).inspect(), docker.version()]);
      if (pulled.Architecture !== engine.Arch) {
        throw new BerthError(
          'not_supported',
          `${image} is for ${pulled.Os}/${pulled.Architecture}; this machine is ${engine.Os}/${engine.Arch}.`,
          { hint: 'Name an image for this processor, or one that has several.', field: 'image' },
        );
      }
    });
  }
}

/** Throws `cancelled`. */
async function unlessCancelled(before: Promise<unknown>, signal: AbortSignal): Promise<void> {
  let end = (): void => undefined;
  const cancelled = new Promise<void>((resolve) => (end = resolve));
  signal.addEventListener('abort', end, { once: true });
  if (!signal.aborted) {
    await Promise.race([before, cancelled]);
  }
  signal.removeEventListener('abort', end);
  throwIfCancelled(signal, 'build the image');
}

function explainPull(image: string, error: unknown, verb = 'pull'): BerthError {
  const known = toBerthError(error, `${verb} ${image}`);
  const { detail } = known;
  const common = { field: 'image', cause: error, ...(detail !== undefined && { detail }) };
  // The engine says 500 when the registry is away, and 404 when the image is.
  if (isStatus(error, 404) && known.code === 'not_found') {
    const hint = 'Check the spelling of the image, or log in to its registry with `docker login`.';
    return new BerthError('image_missing', `Could not ${verb} ${image}: there is no such image.`, {
      ...{ hint, ...common },
    });
  }
  if (/unauthorized|authentication required|no basic auth/i.test(`${known.message} ${detail ?? ''}`)) {
    const { registry } = imageName(image);
    const login = ['docker', 'login', ...(registry === undefined ? [] : [registry])].join(' ');
    const hint = `Log in to the registry: \`${login}\`, then ${verb} again.`;
    return new BerthError('forbidden', known.message, { hint, ...common });
  }
  return known;
}

function usersOf(containers: readonly Dockerode.ContainerInfo[]): ReadonlyMap<string, readonly string[]> {
  const users = new Map<string, string[]>();
  for (const container of containers) {
    if (!isInternalContainer(container.Labels)) {
      users.set(container.ImageID, [
        ...(users.get(container.ImageID) ?? []),
        nameOf(container.Names[0] ?? ''),
      ]);
    }
  }
  return users;
}

/** The own files of a runtime, and what claims are made of: nobody's image. */
function isPrivate({ Labels: labels, RepoTags: tags }: Dockerode.ImageInfo): boolean {
  // Null where there are none. Podman names the registry.
  const [tag] = (tags as string[] | null) ?? [];
  const isOfClaims = tag === claimImage || tag?.endsWith(`/${claimImage}`) === true;
  return isOfClaims || ((labels as Partial<Record<string, string>> | null)?.[label.ownFiles] ?? '') !== '';
}

/** Built by Berth, or made by a commit. */
function hasLabelOfOurs({ Labels: labels }: { Labels: Readonly<Record<string, string>> | null }): boolean {
  return Object.keys(labels ?? {}).some((name) => name.startsWith('berth.'));
}

function toImage(image: Dockerode.ImageInfo, users: ReturnType<typeof usersOf>): Image {
  // Null on images that lost their name.
  const tags = (image.RepoTags as string[] | null) ?? [];
  return {
    id: image.Id,
    tags: tags.filter((tag) => tag !== '<none>:<none>'),
    sizeBytes: image.Size,
    createdAt: new Date(image.Created * 1000).toISOString(),
    usedBy: [...(users.get(image.Id) ?? [])],
  };
}
