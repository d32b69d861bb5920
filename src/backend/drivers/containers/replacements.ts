/**
 * One container takes the place of another. The old one waits under another name until its successor answers, so that
 * whatever ends this process in between leaves at least one of them, with all its files.
 *
 * What a container publishes is fixed when it is made. To give it other ports, its own files become a private image
 * (only the difference is written), and a container of that image takes its place.
 */
import { randomUUID } from 'node:crypto';
import { BerthError } from '../../../api/errors';
import type { RuntimeInfo, RuntimePlan } from '../driver';
import { imageConfigOf, type ImageSays } from './commit';
import { ifMissing, isStatus } from './docker-errors';
import type { Endpoint } from './endpoint';
import { bundleVolumeName, label } from './labels';
import { ownFilesOf } from './own-files';
import type { Ownership } from './ownership';
import { stateOf } from './runtime-info';
import type { CopiedRuntime } from './runtime-spec';
import type { Runtimes } from './runtimes';

const commitTimeoutMs = 60 * 60_000;
/** The dot can't be in a workspace's name. */
const asideSuffix = '.before';
const privateImages = 'berth-own-files';

/** Of a runtime that waits until its successor answers. */
export function isAside(runtime: string): boolean {
  return runtime.endsWith(asideSuffix);
}

export function withoutSuffix(runtime: string): string {
  return runtime.slice(0, -asideSuffix.length);
}

function asideOf(name: string): string {
  return `${name}${asideSuffix}`;
}

interface Inspected {
  Id: string;
  /** Of its image. */
  Image: string;
  State: { Status: string };
  Config: { Labels?: Record<string, string> | null };
  Mounts: readonly { Type: string; Name?: string; Destination: string; RW: boolean }[];
}

export class Replacements {
  /** Without a container of their name for a moment, which is as it should be. */
  private readonly underWay = new Set<string>();

  constructor(
    private readonly endpoint: Endpoint,
    private readonly runtimes: Runtimes,
    private readonly ownership: Ownership,
  ) {}

  /** A container of the plan in place of the stopped one, with all that this one has outside of volumes. */
  async refit(plan: RuntimePlan, signal: AbortSignal): Promise<RuntimeInfo> {
    const { name } = plan;
    const old = await this.stopped(name);
    const image = await this.keepOwnFiles(name, old, signal);
    await this.setAside(name);
    try {
      const volumes = unplanned(plan, old.Mounts);
      return await this.runtimes.create(plan, signal, { ...image, volumes });
    } catch (error) {
      await this.takeBack(name);
      throw error;
    } finally {
      this.underWay.delete(name);
    }
  }

  async setAside(name: string): Promise<void> {
    await this.stopped(name);
    this.underWay.add(name);
    try {
      // What waited there was to go when this one answered, and this one is newer.
      await this.runtimes.remove(asideOf(name));
      await this.rename(name, asideOf(name));
    } catch (error) {
      this.underWay.delete(name);
      throw error;
    }
  }

  async takeBack(name: string): Promise<void> {
    if ((await this.inspect(asideOf(name))) !== undefined) {
      await this.runtimes.remove(name);
      await this.rename(asideOf(name), name);
    }
    this.underWay.delete(name);
    await this.tidyImages(name);
  }

  /** To be called when a container answers: nobody needs what was before it. */
  async answered(name: string): Promise<void> {
    this.underWay.delete(name);
    if ((await this.inspect(asideOf(name))) !== undefined) {
      await this.runtimes.remove(asideOf(name));
      await this.tidyImages(name);
    }
  }

  /** With everything that was kept for it. */
  async remove(name: string, anyOwner: boolean): Promise<void> {
    this.underWay.delete(name);
    await this.runtimes.remove(name, anyOwner);
    await this.runtimes.remove(asideOf(name));
    await this.tidyImages(name);
  }

  /** An engine was killed between two steps: the old container gets its name back. Answers whether that was so. */
  async heal(name: string): Promise<boolean> {
    if (isAside(name) || this.underWay.has(name)) {
      return false;
    }
    const aside = await this.inspect(asideOf(name));
    if (aside === undefined || this.ownership.of(aside.Config.Labels) !== undefined) {
      return false;
    }
    await this.rename(asideOf(name), name);
    return true;
  }

  /** Its own files as an image that nobody sees; the sums of what was kept before go on with it. */
  private async keepOwnFiles(
    name: string,
    old: Inspected,
    signal: AbortSignal,
  ): Promise<Omit<CopiedRuntime, 'volumes'>> {
    const own = await ownFilesOf(this.endpoint, name);
    const repo = `${privateImages}/${name}`;
    const tag = randomUUID().slice(0, 8);
    return this.endpoint.call(
      `keep the files of ${name}`,
      async (docker) => {
        const base = (await docker.getImage(old.Image).inspect()) as unknown as { Config: ImageSays };
        const config = imageConfigOf(base.Config, old.Config.Labels ?? {});
        const kept = {
          ...this.ownership.labels,
          [label.ownFiles]: name,
          [label.ownCount]: String(own?.files ?? 0),
          [label.ownBytes]: String(own?.bytes ?? 0),
        };
        const _body = { ...config, Labels: { ...config.Labels, ...kept } };
        const _query = { container: old.Id, repo, tag, comment: `Files of ${name}` };
        await docker.getContainer(old.Id).commit({ _query, _body, abortSignal: signal });
        return { image: `${repo}:${tag}` };
      },
      { timeoutMs: commitTimeoutMs, signal },
    );
  }

  /** Private images of a runtime that no container is made of any more. */
  private async tidyImages(name: string): Promise<void> {
    await this.endpoint.call(`tidy up the images of ${name}`, async (docker) => {
      const filter = [`${label.ownFiles}=${name}`, `${label.installation}=${this.ownership.id}`];
      const images = await docker.listImages({ filters: { label: filter } });
      const containers = await docker.listContainers({ all: true });
      const used = new Set(containers.map(({ ImageID }) => ImageID));
      const tags = images
        .filter(({ Id }) => !used.has(Id))
        // Null on images that lost their name.
        .flatMap(({ Id, RepoTags }) => (RepoTags as string[] | null) ?? [Id])
        .filter((tag) => tag.includes(`${privateImages}/${name}:`));
      for (const tag of tags) {
        await docker
          .getImage(tag)
          .remove()
          .catch((error: unknown) => {
            // Another container has come meanwhile, or somebody was quicker.
            if (!isStatus(error, 404, 409)) {
              throw error;
            }
          });
      }
    });
  }

  private async stopped(name: string): Promise<Inspected> {
    const found = await this.inspect(name);
    if (found === undefined) {
      throw new BerthError('not_found', `There is no container ${name}.`);
    }
    this.ownership.refuseRuntime(name, found.Config.Labels);
    if (stateOf(found.State.Status) !== 'stopped') {
      throw new BerthError('illegal_state', `${name} runs: it can't be replaced.`, {
        hint: 'Stop it first.',
      });
    }
    return found;
  }

  private inspect(name: string): Promise<Inspected | undefined> {
    return this.endpoint.call(
      `look at ${name}`,
      async (docker) =>
        (await docker.getContainer(name).inspect().catch(ifMissing)) as unknown as Inspected | undefined,
    );
  }

  private async rename(from: string, to: string): Promise<void> {
    await this.endpoint.call(`rename ${from}`, (docker) => docker.getContainer(from).rename({ name: to }));
  }
}

/** Volumes that an image asked for: they have no name of ours, and hold files of this container alone. */
function unplanned(plan: RuntimePlan, mounts: Inspected['Mounts']): CopiedRuntime['volumes'] {
  const planned = new Set<string | undefined>([
    plan.homeVolume,
    plan.dockerVolume,
    ...plan.mounts.map((mount, index) =>
      mount.kind === 'archive' ? bundleVolumeName(plan.name, index) : mount.source,
    ),
  ]);
  return mounts.flatMap(({ Type: type, Name: volume, Destination: target }) =>
    type === 'volume' && volume !== undefined && !planned.has(volume) && target !== '/.berth'
      ? [{ volume, target }]
      : [],
  );
}
