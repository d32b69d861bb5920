/**
 * Between an engine and the real Docker daemon: passes everything on, and knows each request that changes something, so
 * that a test can end the engine at an exact point of what it does.
 */
import { connect, createServer, type Server, type Socket } from 'node:net';

export interface Cut {
  /** `POST /containers/x/start`, without the API's version and the query: the first that fits is cut. */
  at: (change: string) => boolean;
  /** `before`: the daemon never hears of it. `after`: it does it, and its answer is not delivered. */
  when: 'before' | 'after';
  run: () => void;
}

const head = /^(POST|PUT|DELETE) (?:\/v[\d.]+)?(\/[^ ?]*)/;

export class DockerRelay {
  readonly host: string;
  private cut: Cut | undefined;
  private readonly sockets = new Set<Socket>();
  private readonly server: Server;

  constructor(
    private readonly path: string,
    private readonly daemon = daemonSocket(process.env),
  ) {
    this.host = `unix://${path}`;
    this.server = createServer({ allowHalfOpen: true }, (client) => this.relay(client));
  }

  listen(): Promise<void> {
    return new Promise((done) => this.server.listen(this.path, done));
  }

  cutAt(cut: Cut): void {
    this.cut = cut;
  }

  close(): void {
    this.server.close();
    this.sockets.forEach((socket) => socket.destroy());
  }

  private relay(client: Socket): void {
    const daemon = connect({ path: this.daemon, allowHalfOpen: true });
    this.tie(client, daemon);
    this.tie(daemon, client);
    let isMuted = false;
    client.on('data', (chunk: Buffer) => {
      const cut = this.cutFor(chunk);
      if (cut?.when === 'before') {
        cut.run();
        return;
      }
      if (cut !== undefined) {
        isMuted = true;
        daemon.once('data', () => cut.run());
      }
      daemon.write(chunk);
    });
    daemon.on('data', (chunk: Buffer) => {
      if (!isMuted) {
        client.write(chunk);
      }
    });
  }

  private tie(from: Socket, to: Socket): void {
    this.sockets.add(from);
    from.on('error', () => to.destroy());
    from.on('end', () => to.end());
    from.on('close', () => {
      this.sockets.delete(from);
      to.destroy();
    });
  }

  /** A request's head is the begin of a chunk: the client library writes it at once. */
  private cutFor(chunk: Buffer): Cut | undefined {
    const [, verb, path] = head.exec(chunk.toString('latin1', 0, 512)) ?? [];
    const { cut } = this;
    if (cut === undefined || verb === undefined || !cut.at(`${verb} ${path ?? ''}`)) {
      return undefined;
    }
    this.cut = undefined;
    return cut;
  }
}

function daemonSocket({ DOCKER_HOST: host = '' }: NodeJS.ProcessEnv): string {
  return host.startsWith('unix://') ? host.slice('unix://'.length) : '/var/run/docker.sock';
}
