/**
 * The engine's own way into a guest: one SSH connection over a port of the machine, needing no network, which
 * carries every command as a channel of its own.
 */
import type { Socket } from 'node:net';
import { constants } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Client, ClientChannel, ExecOptions } from 'ssh2';
import { BerthError } from '../../../../api/errors';
import { connectSocket } from '../qemu/line-socket';
import { Nudge } from './nudge';

const connectTimeoutMs = 10_000;
/** A guest that is emulated on a busy machine takes its time to exchange keys. */
const readyTimeoutMs = 60_000;
/** As long: the connection may be one whose other end is no more, which no port of a machine tells. */
const defaultOpenTimeoutMs = 60_000;
const greetingTimeoutsMs = [5_000, 15_000, 40_000];
const closeTimeoutMs = 250;
const greeting = 'SSH-2.0-';
const maxMixUps = 2;

export interface SshLinkOptions {
  socket: string;
  /**
   * Has the guest serve SSH on the port, once we are connected to it. `ended` resolves when nobody serves any more:
   * the port itself does not tell, and what runs on the connection would be waited for without end.
   */
  serve: () => Promise<{ ended: Promise<void> }>;
  /** OpenSSH private key that the guest takes for root. */
  privateKey: () => Promise<string>;
  /** How long the guest may take to begin with a command. */
  openTimeoutMs?: number;
  /** How soon something more is sent when the guest may have missed what was sent: see `nudge.ts`. */
  nudgeMs?: number;
  /** Of what went wrong and was mended, for a log. */
  report?: (message: string) => void;
}

/** A command in a guest, and its end: undefined when the connection ended first, a signal as a shell tells it. */
export interface GuestProcess {
  channel: ClientChannel;
  ended: Promise<number | undefined>;
}

/** A connection, and the socket that carries it. */
interface Connection {
  client: Client;
  sock: Socket;
  nudge: Nudge;
}

/** `mayHaveBegun` is false when the guest can't have heard of the command. */
interface NotRun {
  error: BerthError;
  mayHaveBegun: boolean;
}

export class SshLink {
  private opening: Promise<Connection> | undefined;

  constructor(private readonly options: SshLinkOptions) {}

  /**
   * Starts a command of the login shell as root, on a connection that is opened when there is none. A command that
   * certainly never began, as not a byte came from the guest, is tried once more on a new connection. Throws what kept
   * the guest from being reached, and what broke off a command that may have begun.
   */
  async run(command: string, options: ExecOptions): Promise<GuestProcess> {
    const first = await this.tryToRun(command, options);
    if (!('error' in first)) {
      return first;
    }
    if (first.mayHaveBegun) {
      throw first.error;
    }
    this.options.report?.(
      `A command is tried on a new connection, as it never began: ${first.error.message}`,
    );
    const second = await this.tryToRun(command, options);
    if ('error' in second) {
      throw second.error;
    }
    return second;
  }

  private async tryToRun(command: string, options: ExecOptions): Promise<GuestProcess | NotRun> {
    const opening = this.client();
    const { client, sock, nudge } = await opening;
    const { openTimeoutMs = defaultOpenTimeoutMs } = this.options;
    const read = sock.bytesRead;
    const release = nudge.hold();
    try {
      const process = await execWithin(client, command, options, openTimeoutMs);
      void process.ended.then(release);
      return process;
    } catch (cause) {
      release();
      const isLate = cause instanceof BerthError;
      // The guest is asked to run it once it has answered that there is a channel for it.
      const mayHaveBegun = sock.bytesRead > read;
      if (isLate || !mayHaveBegun) {
        // The next command has a connection of its own.
        this.forget(opening);
        client.destroy();
      }
      return { error: isLate ? cause : cannotRun(cause), mayHaveBegun };
    }
  }

  /** Connects, unless it is connected: commands that follow begin at once. */
  async open(): Promise<void> {
    await this.client();
  }

  close(): void {
    const { opening } = this;
    this.opening = undefined;
    opening?.then(
      ({ client }) => client.destroy(),
      () => undefined,
    );
  }

  private client(): Promise<Connection> {
    if (this.opening === undefined) {
      const opening = this.connect();
      this.opening = opening;
      const forget = (): void => this.forget(opening);
      opening.then(({ client }) => client.once('close', forget), forget);
    }
    return this.opening;
  }

  private forget(opening: Promise<Connection>): void {
    if (this.opening === opening) {
      this.opening = undefined;
    }
  }

  /** On a slow machine the words of a server before may come after those of the one that was asked for last. */
  private async connect(): Promise<Connection> {
    const privateKey = await this.options.privateKey();
    for (let left = maxMixUps; ; left -= 1) {
      const sock = await this.reach();
      try {
        const client = await logIn(sock, privateKey);
        return { client, sock, nudge: new Nudge(client, sock, this.options.nudgeMs) };
      } catch (error) {
        sock.destroy();
        if (left === 0 || !isMixUp(error)) {
          throw error;
        }
        await sleep(closeTimeoutMs);
      }
    }
  }

  /**
   * Connects until a server answers. One that served a connection before this one notices its end only while nobody
   * is connected, so each further try leaves it time for that.
   */
  private async reach(): Promise<Socket> {
    for (const timeoutMs of greetingTimeoutsMs) {
      const sock = await connectSocket(this.options.socket, { timeoutMs: connectTimeoutMs });
      let isOver = false;
      try {
        const greeted = skipToGreeting(sock, timeoutMs, () => isOver);
        greeted.catch(() => undefined);
        const { ended } = await this.options.serve();
        // What was sent before may still be on its way.
        void ended
          .then(() => (isOver = true))
          .then(() => sleep(closeTimeoutMs, undefined, { ref: false }))
          .then(() => sock.destroy());
        if (await greeted) {
          return sock;
        }
      } catch (error) {
        sock.destroy();
        throw error;
      }
      sock.destroy();
      await sleep(closeTimeoutMs);
    }
    throw new BerthError('timeout', "Timed out waiting for the guest's SSH server to answer the engine.", {
      hint: 'Its log may say why: `berth logs` with its name. Restart the workspace.',
    });
  }
}

/**
 * Waits for the server's first words, and drops what a connection before this one left on the way. The words stay in
 * the socket for the client. Answers false when there are none in time, or when the server has ended without: it may have
 * read what was left on the other way.
 */
function skipToGreeting(sock: Socket, timeoutMs: number, isOver: () => boolean): Promise<boolean> {
  return new Promise((resolve, reject) => {
    let seen = Buffer.alloc(0);
    const settle = (): void => {
      clearTimeout(timer);
      sock.off('readable', read);
      sock.off('close', closed);
    };
    const closed = (): void => {
      settle();
      if (isOver()) {
        resolve(false);
      } else {
        reject(new BerthError('runtime_unavailable', 'The virtual machine ended.'));
      }
    };
    const end = (isGreeted: boolean): void => {
      settle();
      resolve(isGreeted);
    };
    const timer = setTimeout(() => end(false), timeoutMs);
    const read = (): void => {
      for (let chunk = sock.read() as Buffer | null; chunk !== null; chunk = sock.read() as Buffer | null) {
        seen = Buffer.concat([seen, chunk]);
        const at = seen.lastIndexOf(greeting);
        if (at >= 0) {
          sock.unshift(seen.subarray(at));
          end(true);
          return;
        }
        seen = seen.subarray(Math.max(0, seen.length - greeting.length));
      }
    };
    sock.on('readable', read);
    sock.once('close', closed);
    sock.on('error', () => undefined);
  });
}

/** Rejects when the guest does not begin in time, or refuses. */
async function execWithin(
  client: Client,
  command: string,
  options: ExecOptions,
  timeoutMs: number,
): Promise<GuestProcess> {
  let timer: NodeJS.Timeout | undefined;
  try {
    return await new Promise((resolve, reject) => {
      // What came while this process stood still is read before it is called late.
      timer = setTimeout(() => setImmediate(() => reject(late(timeoutMs))), timeoutMs);
      client.exec(command, options, (error, channel) => {
        if (error === undefined) {
          // At once: a short command may have ended by the time that anybody else gets to listen.
          resolve({ channel, ended: endOf(channel) });
        } else {
          reject(error);
        }
      });
    });
  } finally {
    clearTimeout(timer);
  }
}

function cannotRun(cause: unknown): BerthError {
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new BerthError('runtime_unavailable', `No command can be run: ${reason}`, { cause });
}

function late(timeoutMs: number): BerthError {
  return new BerthError(
    'timeout',
    `Timed out after ${timeoutMs / 1000} s waiting for the guest to begin a command.`,
    {
      hint: 'Try again; if that does not help, its log may say why: `berth logs` with its name.',
    },
  );
}

/** When the process has ended and its output was read. */
function endOf(channel: ClientChannel): Promise<number | undefined> {
  channel.on('error', () => undefined);
  return new Promise((resolve) => {
    let code: number | undefined;
    channel.once('exit', (status: number | null, signal?: string) => {
      code = status ?? 128 + numberOf(signal);
    });
    channel.once('close', () => resolve(code));
  });
}

function numberOf(signal: string | undefined): number {
  const name = `SIG${signal?.replace(/^SIG/, '') ?? ''}`;
  const known = Object.entries(constants.signals).find(([candidate]) => candidate === name);
  return known?.[1] ?? 0;
}

/** Nobody but the guest's init is at the other end, so its host key says nothing. */
async function logIn(sock: Socket, privateKey: string): Promise<Client> {
  const ssh2 = await import('ssh2');
  const client = new ssh2.Client();
  return new Promise((resolve, reject) => {
    const fail = (error: Error): void => {
      client.destroy();
      reject(
        new BerthError('runtime_unavailable', `The guest does not let the engine in: ${error.message}`, {
          hint: 'Its log may say why: `berth logs` with its name.',
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

/** What came was not one server's: ssh2 gives all else a level of the client, e.g. `client-timeout`. */
function isMixUp(error: unknown): boolean {
  const cause = error instanceof BerthError ? error.cause : undefined;
  const level = cause instanceof Error && 'level' in cause ? String(cause.level) : '';
  return cause instanceof Error && !level.startsWith('client');
}

/** What a processor does by itself, or is cheap without: guests may be emulated. */
const algorithms = {
  cipher: ['aes128-gcm@openssh.com' as const, 'chacha20-poly1305@openssh.com' as const],
  kex: ['curve25519-sha256' as const, 'curve25519-sha256@libssh.org' as const],
};
