/** A git repository served over HTTP to containers ("dumb" protocol: plain files), made by the test. */
import { once } from 'node:events';
import { createReadStream } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join, normalize } from 'node:path';
import type Dockerode from 'dockerode';
import { succeed } from '../programs';

export const author = ['-c', 'user.name=Test', '-c', 'user.email=test@example.com'];

/** A repository with one commit, ready to be served; answers the folder of its bare form. */
export async function makeRepository(folder: string, files: Record<string, string>): Promise<string> {
  const work = join(folder, 'work');
  const bare = join(folder, 'project.git');
  await succeed('git', ['init', '-q', '-b', 'main', work]);
  for (const [name, content] of Object.entries(files)) {
    await writeFile(join(work, name), content);
  }
  await succeed('git', ['-C', work, 'add', '.']);
  await succeed('git', [...author, '-C', work, 'commit', '-q', '-m', 'Begin']);
  await succeed('git', ['clone', '-q', '--bare', work, bare]);
  await succeed('git', ['-C', bare, 'update-server-info']);
  return bare;
}

/** The address at which containers, and microVMs of this machine, reach it. */
export async function bridgeAddress(docker: Dockerode): Promise<string> {
  const network = (await docker.getNetwork('bridge').inspect()) as {
    IPAM: { Config: { Gateway?: string }[] };
  };
  return network.IPAM.Config[0]?.Gateway ?? '172.17.0.1';
}

export class FileServer {
  private opened: Promise<void> = Promise.resolve();
  private enter = (): void => undefined;

  private constructor(
    private readonly server: Server,
    private readonly address: string,
  ) {}

  /** Serves a folder on the address at which containers reach this machine. */
  static async start(root: string, docker: Dockerode): Promise<FileServer> {
    const address = await bridgeAddress(docker);
    const server = createServer();
    const files = new FileServer(server, address);
    server.on('request', (request, response) => {
      files.enter();
      void files.opened.then(() => {
        const path = normalize(new URL(request.url ?? '/', 'http://files').pathname);
        createReadStream(join(root, path))
          .on('error', () => response.writeHead(404).end())
          .pipe(response);
      });
    });
    server.listen(0, address);
    await once(server, 'listening');
    return files;
  }

  /** Holds requests back until they are let through; `entered` tells that one came. */
  hold(): { entered: Promise<void>; open: () => void } {
    let open = (): void => undefined;
    this.opened = new Promise((resolve) => (open = resolve));
    const entered = new Promise<void>((resolve) => (this.enter = resolve));
    return { entered, open };
  }

  url(path: string): string {
    return `http://${this.address}:${(this.server.address() as AddressInfo).port}/${path}`;
  }

  async close(): Promise<void> {
    this.server.closeAllConnections();
    this.server.close();
    await once(this.server, 'close');
  }
}
