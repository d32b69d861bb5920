/** The files of an image, for runtimes that are no containers. */
import { finished, type Readable } from 'node:stream';
import { isStatus } from '../engine/docker-errors';
import type { Endpoint } from '../engine/endpoint';
import type { Helpers } from '../engine/helpers';
import type { ImageConfig } from '../../../images/image-config';
import { runScript, type ScriptRun } from './script-run';
import { toReadable } from '../engine/streams';
import { readTools } from '../tools/tools-export';

const exportTimeoutMs = 30 * 60_000;

/** Null where an image says nothing. */
interface Configured {
  Env?: string[] | null;
  User?: string;
  WorkingDir?: string;
  Entrypoint?: string[] | string | null;
  Cmd?: string[] | string | null;
}

const listOf = (words: string[] | string | null | undefined): string[] =>
  typeof words === 'string' ? [words] : (words ?? []);

export class ImageExport {
  constructor(
    private readonly endpoint: Endpoint,
    private readonly toolsImage: string,
    private readonly helpers: Helpers,
  ) {}

  /** A tar with the folder `.berth`, as containers get it. */
  tools(signal: AbortSignal): Promise<Readable> {
    return readTools(this.endpoint, this.toolsImage, this.helpers.labels('tools-export'), signal);
  }

  /** Runs a script in an image and hands on, as a tar, the folder that it made. Answers what it printed. */
  runScript(
    run: Omit<ScriptRun, 'labels'>,
    folder: string,
    take: (tar: Readable) => Promise<void>,
  ): Promise<string> {
    return runScript(
      this.endpoint,
      { ...run, labels: this.helpers.labels('script') },
      async (container, printed) => {
        await take(toReadable(await container.getArchive({ path: folder })));
        return printed;
      },
    );
  }

  /** Which one is meant, and for which machines it is. */
  async find(image: string): Promise<{ id: string; os: string; architecture: string } | undefined> {
    return this.endpoint.call(`look at the image ${image}`, async (docker) => {
      try {
        const { Id: id, Os: os, Architecture: architecture } = await docker.getImage(image).inspect();
        return { id, os, architecture };
      } catch (error) {
        if (isStatus(error, 404)) {
          return undefined;
        }
        throw error;
      }
    });
  }

  /** And how large it is, unpacked. */
  async config(image: string): Promise<{ config: ImageConfig; sizeBytes: number }> {
    return this.endpoint.call(`look at the image ${image}`, async (docker) => {
      const { Config, Size: sizeBytes } = await docker.getImage(image).inspect();
      const said = Config as Configured;
      const config = {
        env: said.Env ?? [],
        user: said.User ?? '',
        workdir: said.WorkingDir ?? '',
        entrypoint: listOf(said.Entrypoint),
        cmd: listOf(said.Cmd),
      };
      return { config, sizeBytes };
    });
  }

  /** One tar, the layers merged by the engine. The container that it takes never runs, and goes with the end of the tar. */
  async exportFiles(image: string, signal: AbortSignal): Promise<Readable> {
    return this.endpoint.call(
      `export the image ${image}`,
      async (docker) => {
        const container = await docker.createContainer({
          Image: image,
          Cmd: ['none'],
          Labels: this.helpers.labels('export'),
          HostConfig: { NetworkMode: 'none' },
        });
        const remove = (): void => void container.remove({ force: true, v: true }).catch(() => undefined);
        try {
          const tar = toReadable(await container.export());
          finished(tar, remove);
          return tar;
        } catch (error) {
          remove();
          throw error;
        }
      },
      { timeoutMs: exportTimeoutMs, signal },
    );
  }
}
