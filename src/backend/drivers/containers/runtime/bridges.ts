/**
 * The way into containers that no port of this machine leads to: those without a network, for which nothing can be
 * published, and those of another machine. This process listens on their ports here, and carries each connection by an
 * exec (`dial.ts`). They answer while this process lives; whoever lists runtimes after a restart opens them again.
 */
import { createServer, type Server, type Socket } from 'node:net';
import { pipeline } from 'node:stream';
import { BerthError } from '../../../../api/errors';
import { localTarget } from '../../../../api/rules/runtimes';
import type { RuntimeInfo } from '../../driver';
import type { Connection, Endpoint } from '../engine/endpoint';
import { dialContainer, publishesNothing } from './dial';
import { isForwarded } from './forwarded';
import { sshPortInside } from '../../../inside/places';
import { label } from '../engine/labels';
import type { Log } from '../../../machine/log';

/** Of loopback here, and inside. */
interface Way {
  host: number;
  guest: number;
}

interface Listener extends Way {
  server: Server;
  sockets: Set<Socket>;
}

interface Bridge {
  /** What it was opened for: another one when this differs. */
  key: string;
  listeners: Listener[];
  /** It is not closed any more when the user names another engine. */
  release: () => void;
}

export class Bridges {
  private readonly bridges = new Map<string, Bridge>();
  /** Runtimes that one of `looks` is awaited for. */
  private readonly awaited = new Set<string>();
  /** Of each connection to an engine of this machine, as it seems: whether its ports are here. Asked once. */
  private readonly looks = new WeakMap<Connection, Promise<boolean>>();

  constructor(
    private readonly endpoint: Endpoint,
    private readonly installation: string,
    private readonly log: Log,
  ) {}

  /** As `follow`; a port that somebody else took must not hide the runtime: starting it again moves it to another one. */
  async followQuietly(info: RuntimeInfo): Promise<void> {
    try {
      await this.follow(info);
    } catch (error) {
      this.log.warn({ name: info.name, error: String(error) }, 'SSH does not answer');
    }
  }

  /**
   * Open for a runtime of ours that runs where no port leads to it, closed for every other. Throws `in_use`. Where it may
   * take a while to find out whether a port does, only `waits` waits for it.
   */
  async follow(info: RuntimeInfo, waits = false): Promise<void> {
    const { name, labels, state, sshPort } = info;
    const isOurs = labels[label.installation] === this.installation;
    const isUp = isOurs && state !== 'stopped' && sshPort !== undefined;
    const isNeeded = isUp && (await this.isNeeded(info, waits));
    if (!isNeeded) {
      this.shut(name);
      return;
    }
    const ways = [{ host: sshPort, guest: sshPortInside }, ...portsIn(labels)];
    const key = ways.map(({ host, guest }) => `${host}:${guest}`).join(',');
    if (this.bridges.get(name)?.key !== key) {
      this.shut(name);
      await this.open(name, key, ways);
    }
  }

  /** Connections to it go through this process, and break with it. */
  has(name: string): boolean {
    return this.bridges.has(name);
  }

  /** Connections to its ports, beside those of SSH, which its sshd tells. */
  clientsOf(name: string): number {
    const { listeners = [] } = this.bridges.get(name) ?? {};
    return listeners
      .filter(({ guest }) => guest !== sshPortInside)
      .reduce((sum, { sockets }) => sum + sockets.size, 0);
  }

  close(name: string): void {
    this.awaited.delete(name);
    this.shut(name);
  }

  private shut(name: string): void {
    const bridge = this.bridges.get(name);
    this.bridges.delete(name);
    bridge?.release();
    bridge?.listeners.forEach(({ server, sockets }) => {
      server.close();
      sockets.forEach((socket) => socket.destroy());
    });
  }

  closeAll(): void {
    [...this.bridges.keys()].forEach((name) => this.close(name));
  }

  private async isNeeded(info: RuntimeInfo, waits: boolean): Promise<boolean> {
    if (publishesNothing(info.labels)) {
      return true;
    }
    const connection = await this.endpoint.connect();
    if (connection.target !== localTarget || info.state !== 'running') {
      return connection.target !== localTarget;
    }
    const known = this.looks.get(connection);
    const look = known ?? this.look(connection, info);
    if (waits) {
      return look;
    }
    // Not for the first alone. What has been stopped or removed by then is left alone.
    this.awaited.add(info.name);
    look
      .then((isFar) => (isFar && this.awaited.delete(info.name) ? this.follow(info) : undefined))
      .catch((error: unknown) => {
        this.log.debug({ name: info.name, error: String(error) }, 'not known where its ports are');
      });
    return false;
  }

  private look(connection: Connection, info: RuntimeInfo): Promise<boolean> {
    const look = isForwarded(this.endpoint, info).then(async (isFar) => {
      if (isFar === undefined) {
        this.looks.delete(connection);
      } else if (isFar) {
        await this.endpoint.foundElsewhere(connection);
      }
      return isFar === true;
    });
    this.looks.set(connection, look);
    look.catch(() => this.looks.delete(connection));
    return look;
  }

  private async open(name: string, key: string, ways: readonly Way[]): Promise<void> {
    const listeners = ways.map((way) => this.listenerFor(name, way));
    const { left } = this.endpoint;
    const end = (): void => this.close(name);
    left.addEventListener('abort', end, { once: true });
    this.bridges.set(name, { key, listeners, release: () => left.removeEventListener('abort', end) });
    try {
      await Promise.all(listeners.map(({ server, host }) => listen(server, host, name)));
    } catch (error) {
      this.close(name);
      throw error;
    }
  }

  private listenerFor(name: string, way: Way): Listener {
    const sockets = new Set<Socket>();
    const server = createServer({ allowHalfOpen: true }, (socket) => {
      sockets.add(socket);
      socket.on('error', () => undefined).on('close', () => sockets.delete(socket));
      socket.setNoDelay(true);
      this.carry(name, way.guest, socket).catch((error: unknown) => {
        this.log.debug(
          { name, port: way.guest, error: String(error) },
          'a connection was not carried inside',
        );
        socket.destroy();
      });
    });
    return { ...way, server, sockets };
  }

  private async carry(name: string, port: number, socket: Socket): Promise<void> {
    const inside = await dialContainer(this.endpoint, name, port);
    pipeline(socket, inside, socket, () => {
      socket.destroy();
      inside.destroy();
    });
  }
}

/** As it was built: `18080:8080,…`. */
function portsIn(labels: RuntimeInfo['labels']): Way[] {
  return (labels[label.ports] ?? '').split(',').flatMap((pair) => {
    const [host = 0, guest = 0] = pair.split(':').map(Number);
    return host > 0 && guest > 0 ? [{ host, guest }] : [];
  });
}

function listen(server: Server, port: number, name: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (error) => {
      reject(
        new BerthError('in_use', `Could not listen on port ${port} for ${name}: ${error.message}`, {
          hint: 'Another program took the port. Try again: the workspace gets another one.',
          cause: error,
        }),
      );
    });
    server.listen({ port, host: '127.0.0.1', exclusive: true }, () => resolve());
  });
}
