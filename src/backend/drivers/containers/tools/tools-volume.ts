/**
 * The volume that brings Berth's own programs into every container. The engine fills it from the tools image when it
 * is first mounted; only a whole one is ever used, and its contents never change: other tools and other scripts have
 * another volume, and the old one goes when no container has it any more. Two engines may want it at once: the name of the container that
 * fills it is the lock, which a dead engine can't keep.
 */
import { randomUUID } from 'node:crypto';
import { Readable } from 'node:stream';
import type Dockerode from 'dockerode';
import tar from 'tar-stream';
import { BerthError } from '../../../../api/errors';
import { ifMissing, isStatus } from '../engine/docker-errors';
import type { Connection, Endpoint } from '../engine/endpoint';
import { fillerOwner, isAbandoned } from './filler-lock';
import { toolsDirectory } from '../../../inside/init-script';
import { isToolsName, isToolsVolume, label, toolsVolumeName } from '../engine/labels';
import type { Log } from '../../../machine/log';
import { labelsOf, makeLabelledVolumes } from '../engine/labelled-volumes';
import { archiveOf } from '../../../tar/archive';
import { scriptMembers, scriptsVersion } from './tools-scripts';
import { waitFor } from '../../../machine/wait';

const usualTimeoutMs = 60_000;
const youngMs = 10 * 60_000;
const marker = '.complete';

export interface ToolsOptions {
  /** E.g. `berth-tools:1`. */
  image: () => string;
  log: Log;
  /** Of one request that fills it. */
  fillTimeoutMs?: number;
}

export interface Tools {
  volume: string;
  /** Processor that the tools are made for, as the engine names it. */
  architecture: string;
}

interface Filling {
  volume: string;
  imageId: string;
}

export class ToolsVolume {
  private ready: { imageId: string; tools: Promise<Tools> } | undefined;
  private readonly owner = fillerOwner(randomUUID());
  /** One at a time, so that a container of ours that is there when we begin is a leftover. */
  private filling: Promise<unknown> = Promise.resolve();

  constructor(
    private readonly endpoint: Endpoint,
    private readonly options: ToolsOptions,
  ) {}

  /** The volume's name, once it is there and whole; checked once per process and tools image. */
  async ensure(): Promise<Tools> {
    const image = await this.inspectImage();
    if (this.ready?.imageId !== image.Id || !(await this.isThere(this.nameFor(image)))) {
      const tools = this.filling.then(() => this.fill(image));
      this.filling = tools.catch(() => undefined);
      const ready = { imageId: image.Id, tools };
      this.ready = ready;
      tools.catch(() => {
        if (this.ready === ready) {
          this.ready = undefined;
        }
      });
    }
    return this.ready.tools;
  }

  private get fillTimeoutMs(): number {
    return this.options.fillTimeoutMs ?? usualTimeoutMs;
  }

  private nameFor({ Id: id }: Dockerode.ImageInspectInfo): string {
    return toolsVolumeName(this.options.image().split(':').at(-1) ?? 'latest', id, scriptsVersion);
  }

  private async isThere(volume: string): Promise<boolean> {
    return this.endpoint.call(`look at the volume ${volume}`, async (docker) => {
      try {
        await docker.getVolume(volume).inspect();
        return true;
      } catch (error) {
        if (isStatus(error, 404)) {
          return false;
        }
        throw error;
      }
    });
  }

  private async inspectImage(): Promise<Dockerode.ImageInspectInfo> {
    const image = this.options.image();
    try {
      return await this.endpoint.call(`look at the image ${image}`, (docker) =>
        docker.getImage(image).inspect(),
      );
    } catch (error) {
      if (error instanceof BerthError && (error.code === 'not_found' || error.code === 'image_missing')) {
        throw new BerthError(
          'image_missing',
          `The image ${image}, which brings SSH into workspaces, is not there.`,
          {
            hint: 'Build it: `berth image build`.',
          },
        );
      }
      throw error;
    }
  }

  private async fill(image: Dockerode.ImageInspectInfo): Promise<Tools> {
    const tools = { volume: this.nameFor(image), architecture: image.Architecture };
    const filling: Filling = { volume: tools.volume, imageId: image.Id };
    await this.refuseOthers(tools.volume);
    await this.withFiller(filling, async (filler) => {
      const found = await readMarker(filler);
      if (found === image.Id) {
        return;
      }
      if (found === undefined && (await this.wasMadeBy(filling, filler))) {
        await writeMarker(filler, image.Id);
        return;
      }
      await this.replace(filling, filler);
    });
    await this.sweep(tools.volume).catch((error: unknown) => {
      this.options.log.debug({ error: String(error) }, 'volumes of older tools may be left');
    });
    return tools;
  }

  /** A volume without our label is a user's, whatever its name: it is neither filled nor replaced. */
  private async refuseOthers(name: string): Promise<void> {
    const found = await this.endpoint.call(`look at the volume ${name}`, (docker) =>
      docker.getVolume(name).inspect().catch(ifMissing),
    );
    if (found !== undefined && !isToolsVolume(name, labelsOf(found))) {
      throw new BerthError(
        'exists',
        `The volume ${name} is not one that Berth made, but has the name that Berth's tools need.`,
        {
          hint: `Keep its files elsewhere, then remove it: \`docker volume rm ${name}\`.`,
        },
      );
    }
  }

  /** The volume is half filled: made anew. */
  private async replace(filling: Filling, filler: Dockerode.Container): Promise<void> {
    await removeContainer(filler);
    await this.endpoint.call(`replace the volume ${filling.volume}`, (docker) =>
      docker.getVolume(filling.volume).remove(),
    );
    await this.withFiller(filling, (fresh) => writeMarker(fresh, filling.imageId));
  }

  /** What older tools were in, and no container has any more. A young one may be about to be used by another engine. */
  private async sweep(current: string): Promise<void> {
    await this.endpoint.call('look for volumes of older tools', async (docker) => {
      const { Volumes: volumes } = await docker.listVolumes({
        filters: { dangling: ['true'], label: [`${label.role}=tools`] },
      });
      const old = volumes.filter(
        ({ Name: name, Labels: labels, ...volume }) =>
          isToolsName(name) && isToolsVolume(name, labels) && name !== current && ageOf(volume) > youngMs,
      );
      await Promise.all(
        old.map(({ Name: name }) =>
          docker
            .getVolume(name)
            .remove()
            .catch((error: unknown) =>
              this.options.log.debug({ name, error: String(error) }, 'tools are kept'),
            ),
        ),
      );
    });
  }

  /** Creating the container fills an empty volume; only Podman must start it for that. */
  private async withFiller(
    filling: Filling,
    use: (filler: Dockerode.Container) => Promise<void>,
  ): Promise<void> {
    const filler = await waitFor(() => this.tryCreateFiller(filling), {
      what: `another engine to fill the volume ${filling.volume}`,
      timeoutMs: this.fillTimeoutMs * 2,
      intervalMs: 100,
    });
    const what = `fill the volume ${filling.volume}`;
    const fill = async (_docker: Dockerode, { isPodman }: Connection): Promise<void> => {
      if (isPodman) {
        await filler.start();
        await filler.wait();
      }
      await use(filler);
    };
    try {
      await this.endpoint.call(what, fill, { timeoutMs: this.fillTimeoutMs * 2 });
    } catch (error) {
      // This error tells what went wrong; one of the removal would only hide it.
      await this.tidy(filler);
      throw error;
    }
    await this.remove(filler);
  }

  private async remove(filler: Dockerode.Container): Promise<void> {
    const timeoutMs = this.fillTimeoutMs;
    await this.endpoint.call('remove the container that fills the tools', () => removeContainer(filler), {
      timeoutMs,
    });
  }

  /** What can't be removed now is known as a leftover when the volume is filled again. */
  private async tidy(filler: Dockerode.Container | undefined): Promise<void> {
    if (filler !== undefined) {
      await this.remove(filler).catch((error: unknown) =>
        this.options.log.warn({ filler: filler.id, error: String(error) }, 'a container is left'),
      );
    }
  }

  private tryCreateFiller({ volume, imageId }: Filling): Promise<Dockerode.Container | undefined> {
    const name = `${volume}-fill`;
    const options: Dockerode.ContainerCreateOptions = {
      name,
      // By its id: the name may mean another image by now.
      Image: imageId,
      Entrypoint: [`${toolsDirectory}/bin/busybox`, 'true'],
      Labels: { [label.role]: 'tools', [label.filler]: JSON.stringify(this.owner) },
      HostConfig: {
        NetworkMode: 'none',
        Mounts: [
          {
            Type: 'volume',
            Source: volume,
            Target: toolsDirectory,
            VolumeOptions: {
              NoCopy: false,
              Labels: { [label.role]: 'tools', [label.nonce]: name },
              DriverConfig: { Name: 'local', Options: {} },
            },
          },
        ],
      },
    };
    return this.endpoint.call(
      `fill the volume ${volume}`,
      async (docker, { isPodman }) => {
        try {
          if (isPodman) {
            await makeLabelledVolumes(docker, options);
          }
          return await docker.createContainer(options);
        } catch (error) {
          if (!isStatus(error, 409)) {
            throw error;
          }
          await this.breakStaleLock(docker, name);
          return undefined;
        }
      },
      { timeoutMs: this.fillTimeoutMs, late: (filler) => void this.tidy(filler) },
    );
  }

  /** By id: another one may have taken the name since. */
  private async breakStaleLock(docker: Dockerode, name: string): Promise<void> {
    try {
      const found = await docker.getContainer(name).inspect();
      if (isAbandoned(found.Config.Labels[label.filler], this.owner, found, this.fillTimeoutMs)) {
        await removeContainer(docker.getContainer(found.Id));
      }
    } catch (error) {
      if (!isStatus(error, 404)) {
        throw error;
      }
    }
  }

  /** An empty marker in a volume that is younger than the container's request: this one filled it. */
  private wasMadeBy({ volume: name }: Filling, filler: Dockerode.Container): Promise<boolean> {
    return this.endpoint.call(`look at the volume ${name}`, async (docker) => {
      const [volume, container] = await Promise.all([docker.getVolume(name).inspect(), filler.inspect()]);
      const made = Date.parse((volume as { CreatedAt?: string }).CreatedAt ?? '');
      // Volumes carry whole seconds.
      return made >= Math.floor(Date.parse(container.Created) / 1000) * 1000;
    });
  }
}

function ageOf(volume: object): number {
  return 'CreatedAt' in volume && typeof volume.CreatedAt === 'string'
    ? Date.now() - Date.parse(volume.CreatedAt)
    : 0;
}

async function removeContainer(container: Dockerode.Container): Promise<void> {
  try {
    await container.remove({ force: true });
  } catch (error) {
    if (!isStatus(error, 404, 409)) {
      throw error;
    }
  }
}

async function readMarker(filler: Dockerode.Container): Promise<string | undefined> {
  let archive: NodeJS.ReadableStream;
  try {
    archive = await filler.getArchive({ path: `${toolsDirectory}/${marker}` });
  } catch (error) {
    if (isStatus(error, 404)) {
      return undefined;
    }
    throw error;
  }
  for await (const entry of archive.pipe(tar.extract())) {
    const chunks: Buffer[] = [];
    for await (const chunk of entry) {
      chunks.push(chunk as Buffer);
    }
    return Buffer.concat(chunks).toString('utf8').trim();
  }
  return undefined;
}

/** Fails when a program is missing that comes last: an engine that does not fill volumes as ours expects. */
async function writeMarker(filler: Dockerode.Container, imageId: string): Promise<void> {
  for (const path of ['bin/sshd', 'libexec/sftp-server', 'VERSION']) {
    await lookAt(filler, `${toolsDirectory}/${path}`);
  }
  const members = [...scriptMembers, { name: marker, mode: 0o644, content: `${imageId}\n` }];
  await filler.putArchive(await archiveOf(members), { path: toolsDirectory });
}

/** Fails with 404 when nothing is there. The answer is empty, and keeps its connection until it is read. */
async function lookAt(filler: Dockerode.Container, path: string): Promise<void> {
  const answer: unknown = await filler.infoArchive({ path });
  if (answer instanceof Readable) {
    answer.resume();
  }
}
