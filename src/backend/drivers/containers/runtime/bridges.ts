/**
 * SSH into containers without a network: nothing can be published for them, so this process listens on their port,
 * and gives each connection an sshd of its own by exec (`sshd -i` speaks SSH on its standard input and output).
 * They answer while this process lives; whoever lists runtimes after a restart opens them again.
 */
import { createServer, type Server, type Socket } from 'node:net';
import { pipeline } from 'node:stream';
import { BerthError } from '../../../../api/errors';
import type { RuntimeInfo } from '../../driver';
import type { Endpoint } from '../engine/endpoint';
import { dialContainer } from './dial';
import { sshPortInside } from '../../../inside/places';
import { label } from '../engine/labels';
import type { Log } from '../../../machine/log';

interface Bridge {
  port: number;
  server: Server;
  sockets: Set<Socket>;
}

export class Bridges {
  private readonly bridges = new Map<string, Bridge>();

  constructor(
    private readonly endpoint: Endpoint,
    private readonly installation: string,
    private readonly log: Log,
  ) {}

  /** Open for a runtime of ours that runs without a network, closed for every other. */
  async follow({ name, labels, state, sshPort }: RuntimeInfo): Promise<void> {
    const isOffline = labels[label.network] === 'off' && labels[label.installation] === this.installation;
    if (!isOffline || state === 'stopped' || sshPort === undefined) {
      this.close(name);
    } else if (this.bridges.get(name)?.port !== sshPort) {
      this.close(name);
      await this.open(name, sshPort);
    }
  }

  close(name: string): void {
    const bridge = this.bridges.get(name);
    this.bridges.delete(name);
    bridge?.server.close();
    bridge?.sockets.forEach((socket) => socket.destroy());
  }

  closeAll(): void {
    [...this.bridges.keys()].forEach((name) => this.close(name));
  }

  private open(name: string, port: number): Promise<void> {
    const sockets = new Set<Socket>();
    const server = createServer((socket) => {
      sockets.add(socket);
      socket.on('error', () => undefined).on('close', () => sockets.delete(socket));
      this.carry(name, socket).catch((error: unknown) => {
        this.log.debug({ name, error: String(error) }, 'no SSH into a container without a network');
        socket.destroy();
      });
    });
    this.bridges.set(name, { port, server, sockets });
    return new Promise((resolve, reject) => {
      server.once('error', (error) => {
        this.close(name);
        const message = `Could not listen on port ${port} for ${name}: ${error.message}`;
        reject(
          new BerthError('in_use', message, {
            hint: 'Another program took the SSH port. Try again: the workspace gets another one.',
            cause: error,
          }),
        );
      });
      server.listen({ port, host: '127.0.0.1', exclusive: true }, () => resolve());
    });
  }

  private async carry(name: string, socket: Socket): Promise<void> {
    const inside = await dialContainer(this.endpoint, name, sshPortInside);
    pipeline(socket, inside, socket, () => {
      socket.destroy();
      inside.destroy();
    });
  }
}
