/**
 * A container's own files as an image that nobody sees: what the container is made of when it gets other ports, where
 * the engine can't do without (`Moves`). Those that versions before have made of all containers are used on.
 */
import { randomUUID } from 'node:crypto';
import { BerthError } from '../../../../api/errors';
import { imageConfigOf, type ImageSays } from './commit';
import { isStatus } from '../engine/docker-errors';
import type { Endpoint } from '../engine/endpoint';
import type { Helpers } from '../engine/helpers';
import { label } from '../engine/labels';
import { ownFilesOf } from '../replacement/own-files';
import type { Ownership } from '../engine/ownership';

const commitTimeoutMs = 60 * 60_000;
const privateImages = 'berth-own-files';

export interface KeptContainer {
  Id: string;
  /** Of its image. */
  Image: string;
  Config: { Labels?: Record<string, string> | null };
}

export class PrivateImages {
  constructor(
    private readonly endpoint: Endpoint,
    private readonly ownership: Ownership,
    private readonly helpers: Helpers,
  ) {}

  /** Answers the image's name. The sums of what was kept before go on with it. */
  async keep(name: string, old: KeptContainer, signal: AbortSignal): Promise<string> {
    const own = await ownFilesOf(this.endpoint, this.helpers, name);
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
        await docker
          .getContainer(old.Id)
          .commit({ _query, _body, abortSignal: signal })
          .catch((error: unknown) => {
            throw /max depth exceeded/i.test(String(error)) ? tooManyLayers(name) : error;
          });
        return `${repo}:${tag}`;
      },
      { timeoutMs: commitTimeoutMs, signal },
    );
  }

  /** Removes those of a runtime that no container is made of any more. */
  async tidy(name: string): Promise<void> {
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
}

/** Each move to other ports adds one. */
function tooManyLayers(name: string): BerthError {
  return new BerthError(
    'not_supported',
    `${name} has as many layers as an image can have: it can't take its files along to another port.`,
    { first: 'End the program that has its port, or rebuild it, without these files.', remedy: 'start' },
  );
}
