/** The tools as containers get them, out of their image. */
import type { Readable } from 'node:stream';
import { finished } from 'node:stream';
import type { Endpoint } from '../engine/endpoint';
import { toolsDirectory } from '../../../inside/init-script';
import { toReadable } from '../engine/streams';

const readTimeoutMs = 10 * 60_000;

/** A tar with the folder `.berth`. The container that it is read from never runs, and goes with the end of the tar. */
export async function readTools(
  endpoint: Endpoint,
  image: string,
  labels: Readonly<Record<string, string>>,
  signal: AbortSignal,
): Promise<Readable> {
  const options = { timeoutMs: readTimeoutMs, signal };
  return endpoint.call(
    `read the tools from ${image}`,
    async (docker) => {
      const container = await docker.createContainer({
        Image: image,
        Labels: { ...labels },
        HostConfig: { NetworkMode: 'none' },
      });
      const remove = (): void => void container.remove({ force: true }).catch(() => undefined);
      try {
        const tar = toReadable(await container.getArchive({ path: toolsDirectory }));
        finished(tar, remove);
        return tar;
      } catch (error) {
        remove();
        throw error;
      }
    },
    options,
  );
}
