/**
 * Connections to the engine of another machine by the user's own OpenSSH, as docker itself makes them: each is a
 * `ssh HOST docker system dial-stdio`, whose standard input and output are the connection. Podman has the same command.
 */
import { Agent } from 'node:http';
import { Duplex } from 'node:stream';
import type { SshTarget } from '../../../../api/rules/docker-host';
import { sshFailure, type EngineCommand } from './ssh-failure';
import { sharedConnection, sharedSessions, type SharedConnection } from './ssh-sharing';
import { start, type Child, type ProcessEnd } from '../../../machine/run';
import { asError } from '../../../machine/as-error';

const connectTimeoutS = 15;
/** Idle connections that wait for the next call. */
const keptConnections = 4;
const idleTimeoutMs = 60_000;
const flushMs = 500;
/** An sshd turns away whom it has not let in yet beyond ten (`MaxStartups`). */
const handshakesAtOnce = 6;
/** A connection that carries nothing for so long has been let in, or will not be. */
const handshakeTimeoutMs = (connectTimeoutS + 5) * 1000;

/** Whatever the user's configuration says: nobody can be asked, and nothing but this connection is to be made. */
const fixedOptions = [
  'BatchMode=yes',
  `ConnectTimeout=${connectTimeoutS}`,
  'ServerAliveInterval=15',
  'ServerAliveCountMax=4',
  'ClearAllForwardings=yes',
  'ForwardAgent=no',
  'ForwardX11=no',
  'RemoteCommand=none',
  'PermitLocalCommand=no',
];

const addressOption = { docker: '--host', podman: '--url' } as const;

/** The arguments of ssh. Every word of the target has been checked: `docker-host.ts`. */
export function sshArguments(
  target: SshTarget,
  sharing: readonly string[] = [],
  command: EngineCommand = 'docker',
): string[] {
  const { socketPath } = target;
  return [
    '-T',
    ...fixedOptions.flatMap((option) => ['-o', option]),
    ...sharing,
    ...machineArguments(target),
    command,
    ...(socketPath === undefined ? [] : [addressOption[command], `unix://${socketPath}`]),
    ...['system', 'dial-stdio'],
  ];
}

function machineArguments({ user, host, port }: SshTarget): string[] {
  return [
    ...(user === undefined ? [] : ['-l', user]),
    ...(port === undefined ? [] : ['-p', String(port)]),
    ...['--', host],
  ];
}

/** The two pipes of an ssh as what Node's http takes for a socket. */
class SshSocket extends Duplex {
  private hasAnswered = false;
  private writtenAt = 0;
  private idle: NodeJS.Timeout | undefined;

  constructor(
    private readonly child: Child,
    private readonly failureOf: (end: ProcessEnd) => Error,
  ) {
    super({ allowHalfOpen: true });
    child.stdout.on('data', (chunk: Buffer) => {
      if (!this.hasAnswered) {
        this.hasAnswered = true;
        this.emit('answered');
      }
      if (!this.push(chunk)) {
        child.stdout.pause();
      }
    });
    child.stdout.on('error', (error) => this.destroy(error));
    void child.end.then((end) => this.finish(end));
  }

  private finish(end: ProcessEnd): void {
    if (this.hasAnswered && (end.code === 0 || this.readableEnded)) {
      this.push(null);
    } else {
      this.destroy(this.failureOf(end));
    }
  }

  override _read(): void {
    this.child.stdout.resume();
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    this.writtenAt = Date.now();
    // What could not be written is of an ssh that ends, whose end says why.
    this.child.stdin.write(chunk, () => done());
  }

  override _final(done: (error?: Error | null) => void): void {
    this.child.stdin.end(() => done());
  }

  /** Nobody uses it for now. */
  rest(): void {
    this.idle = setTimeout(() => this.destroy(), idleTimeoutMs);
  }

  resumeUse(): void {
    clearTimeout(this.idle);
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    clearTimeout(this.idle);
    // What was written last may still be on its way through ssh.
    const restMs = error === null ? this.writtenAt + flushMs - Date.now() : 0;
    this.child.stdin.end();
    if (restMs > 0) {
      setTimeout(() => this.child.kill(), restMs).unref();
    } else {
      this.child.kill();
    }
    done(error);
  }

  /** Of a socket: there is nothing to set of two pipes. */
  setTimeout(): this {
    return this;
  }

  setNoDelay(): this {
    return this;
  }

  setKeepAlive(): this {
    return this;
  }

  ref(): this {
    return this;
  }

  unref(): this {
    return this;
  }
}

/** Makes the connections of Node's http by ssh. `destroy` ends those that are idle, `endAll` the others as well. */
export class SshAgent extends Agent {
  /** What the connections from now on are made by, on that machine. */
  command: EngineCommand = 'docker';
  private shaking = 0;
  private readonly waiting: (() => void)[] = [];
  private readonly children = new Set<Child>();

  /** Streams in the shared connection. */
  private sharing = 0;
  private shared: Promise<SharedConnection | undefined> | undefined;
  /** Settles when the first stream has made the shared connection, or has failed to. */
  private first: Promise<void> | undefined;

  /** `folder`: a private one for the socket of a shared connection; without it each stream has one of its own. */
  constructor(
    private readonly target: SshTarget,
    private readonly program = 'ssh',
    private readonly folder?: string,
  ) {
    super({ keepAlive: true, maxFreeSockets: keptConnections, scheduling: 'lifo' });
  }

  override createConnection(
    _options: unknown,
    connected?: (error: Error | null, stream: Duplex) => void,
  ): Duplex | undefined {
    void this.open(connected ?? (() => undefined));
    return undefined;
  }

  endAll(): void {
    this.destroy();
    this.children.forEach((child) => child.kill());
    void this.shared?.then((shared) => shared?.end());
  }

  override keepSocketAlive(socket: Duplex): boolean {
    if (socket instanceof SshSocket) {
      socket.rest();
    }
    return true;
  }

  override reuseSocket(socket: Duplex): void {
    if (socket instanceof SshSocket) {
      socket.resumeUse();
    }
  }

  private async open(connected: (error: Error | null, stream: Duplex) => void): Promise<void> {
    const { options, settle: leave, share } = await this.turn();
    try {
      const install = 'Install the OpenSSH client (openssh-client on Debian and Ubuntu).';
      const { command } = this;
      const child = await start(this.program, sshArguments(this.target, options, command), { install });
      this.children.add(child);
      void child.end.then(() => this.children.delete(child)).then(share);
      const socket = new SshSocket(child, (end) => sshFailure(this.target, end, command));
      const late = setTimeout(leave, handshakeTimeoutMs);
      const settle = (): void => {
        clearTimeout(late);
        leave();
      };
      socket.once('answered', settle).once('close', settle);
      connected(null, socket);
    } catch (error) {
      leave();
      share();
      const failure = asError(error);
      connected(failure, new Duplex());
    }
  }

  /**
   * The next stream may begin. `settle` is to be called when it has answered or failed, and `share` when it has ended.
   */
  private async turn(): Promise<{ options: readonly string[]; settle: () => void; share: () => void }> {
    this.shared ??= sharedConnection(this.program, machineArguments(this.target), this.folder);
    const shared = await this.shared;
    if (shared === undefined || this.sharing >= sharedSessions) {
      const options = shared === undefined ? [] : ['-o', 'ControlPath=none'];
      return { options, settle: await this.enter(), share: () => undefined };
    }
    this.sharing += 1;
    const share = (): void => void (this.sharing -= 1);
    let settle = (): void => undefined;
    if (this.first === undefined) {
      this.first = new Promise((resolve) => (settle = resolve));
    } else {
      await this.first;
    }
    return { options: shared.options, settle, share };
  }

  /** Waits for its turn; the answer lets the next one in. */
  private async enter(): Promise<() => void> {
    if (this.shaking >= handshakesAtOnce) {
      await new Promise<void>((go) => this.waiting.push(go));
    } else {
      this.shaking += 1;
    }
    let isOver = false;
    return () => {
      if (!isOver) {
        isOver = true;
        const next = this.waiting.shift();
        if (next === undefined) {
          this.shaking -= 1;
        } else {
          next();
        }
      }
    };
  }
}
