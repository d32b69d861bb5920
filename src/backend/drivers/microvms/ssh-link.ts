/**
 * The engine's own way into a guest: one SSH connection over a port of the machine, needing no network, which
 * carries every command as a channel of its own.
 */
import type { Socket } from 'node:net';
import { Client, type ClientChannel, type ExecOptions } from 'ssh2';
import { BerthError } from '../../../api/errors';
import { connectSocket } from './qemu/line-socket';

const connectTimeoutMs = 10_000;
/** A guest that is emulated on a busy machine takes its time to exchange keys. */
const readyTimeoutMs = 60_000;

export interface SshLinkOptions {
  socket: string;
  /** Has the guest serve SSH on the port, once we are connected to it. */
  serve: () => Promise<void>;
  /** OpenSSH private key that the guest takes for root. */
  privateKey: () => Promise<string>;
}

export class SshLink {
  private opening: Promise<Client> | undefined;

  constructor(private readonly options: SshLinkOptions) {}

  /** Starts a command of the login shell as root, on a connection that is opened when there is none. */
  async run(command: string, options: ExecOptions): Promise<ClientChannel> {
    const client = await this.client();
    return new Promise((resolve, reject) => {
      client.exec(command, options, (error, channel) => {
        if (error === undefined) {
          resolve(channel);
        } else {
          reject(
            new BerthError('runtime_unavailable', `No command can be run: ${error.message}`, {
              cause: error,
            }),
          );
        }
      });
    });
  }

  /** Opens it ahead of the first command. */
  async open(): Promise<void> {
    await this.client();
  }

  close(): void {
    const { opening } = this;
    this.opening = undefined;
    opening?.then(
      (client) => client.destroy(),
      () => undefined,
    );
  }

  private client(): Promise<Client> {
    if (this.opening === undefined) {
      const opening = this.connect();
      this.opening = opening;
      const forget = (): void => {
        if (this.opening === opening) {
          this.opening = undefined;
        }
      };
      opening.then((client) => client.once('close', forget), forget);
    }
    return this.opening;
  }

  private async connect(): Promise<Client> {
    const privateKey = await this.options.privateKey();
    const sock = await connectSocket(this.options.socket, { timeoutMs: connectTimeoutMs });
    try {
      await this.options.serve();
      return await logIn(sock, privateKey);
    } catch (error) {
      sock.destroy();
      throw error;
    }
  }
}

/** Nobody but the guest's init is at the other end, so its host key says nothing. */
function logIn(sock: Socket, privateKey: string): Promise<Client> {
  const client = new Client();
  return new Promise((resolve, reject) => {
    const fail = (error: Error): void => {
      client.destroy();
      reject(
        new BerthError('runtime_unavailable', `The guest does not let the engine in: ${error.message}`, {
          hint: 'Its log may say why: `berth logs`.',
          cause: error,
        }),
      );
    };
    client.once('error', fail);
    client.once('close', () => fail(new Error('the connection ended')));
    client.once('ready', () => {
      client.off('error', fail);
      // What happens from now on is seen by every channel.
      client.on('error', () => undefined);
      resolve(client);
    });
    client.connect({ sock, username: 'root', privateKey, readyTimeout: readyTimeoutMs, algorithms });
  });
}

/** What a processor does by itself, or is cheap without: guests may be emulated. */
const algorithms = {
  cipher: ['aes128-gcm@openssh.com' as const, 'chacha20-poly1305@openssh.com' as const],
  kex: ['curve25519-sha256' as const, 'curve25519-sha256@libssh.org' as const],
};
