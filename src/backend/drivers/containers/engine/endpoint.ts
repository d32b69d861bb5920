/** The connection to the engine: found when first needed, and found again after it went away. */
import { Readable } from 'node:stream';
import type Dockerode from 'dockerode';
import { BerthError } from '../../../../api/errors';
import type { CheckRemedy } from '../../../../api/engine/check-remedy';
import type { EngineIdentity } from '../../driver';
import { engineMessage, isConnectionError, reasonOf, toBerthError, wasNotSent } from './docker-errors';
import { findCandidates } from './endpoint-candidates';
import { otherMachine } from './reach';
import { openConnection, type Connection } from './open-connection';
import type { HostEnvironment } from '../../../machine/host-environment';
import type { Log } from '../../../machine/log';

const callTimeoutMs = 60_000;

export type { Connection };

export interface EndpointOptions {
  dockerHost: () => string | undefined;
  environment: HostEnvironment;
  /** A private folder, for sockets of ssh. */
  folder?: string;
  log: Log;
}

export interface CallOptions<T = unknown> {
  timeoutMs?: number;
  signal?: AbortSignal;
  /** For what comes when nobody waits for it any more. Streams are ended in any case. */
  late?: (result: T) => void;
}

export class Endpoint {
  private current: { connection: Promise<Connection>; setting: string | undefined } | undefined;
  private leaving = new AbortController();
  /** Machines behind sockets of this one, by address. */
  private readonly forwarded = new Map<string, string>();

  private lookedAt: string | undefined;

  constructor(private readonly options: EndpointOptions) {}

  /** The engine that answers; throws `runtime_unavailable` naming every place that was tried. */
  connect(): Promise<Connection> {
    const setting = this.options.dockerHost();
    if (this.current !== undefined && this.current.setting !== setting) {
      this.close();
    }
    if (this.current === undefined) {
      const connection = this.find(setting);
      const current = { connection, setting };
      this.current = current;
      connection.catch(() => this.forget(current));
    }
    return this.current.connection;
  }

  /**
   * One call of the engine. After `timeoutMs` (60 s) it counts as dead. A call that could not even be sent is made once
   * more, on the engine that answers now. Throws what the engine answered as one of our errors, `runtime_unavailable`
   * where it doesn't answer.
   */
  async call<T>(
    what: string,
    run: (docker: Dockerode, connection: Connection) => Promise<T>,
    options: CallOptions<T> = {},
  ): Promise<T> {
    for (let attempt = 0; ; attempt += 1) {
      const connection = await this.connect();
      const { current } = this;
      try {
        return await limited(run(connection.docker, connection), what, options);
      } catch (error) {
        if (isConnectionError(error)) {
          this.forget(current);
        }
        if (attempt > 0 || !wasNotSent(error)) {
          throw toBerthError(error, what);
        }
      }
    }
  }

  /** The machine that runs what is made now: `local`, or its name. Throws `runtime_unavailable`. */
  async target(): Promise<string> {
    return (await this.connect()).target;
  }

  /** Which engine it is; undefined where nothing tells it from others of its machine. Throws `runtime_unavailable`. */
  identity(): Promise<EngineIdentity | undefined> {
    return this.call('say which one it is', async (_docker, { id, host }) => {
      const known = await id();
      return known === undefined ? undefined : { id: known, host };
    });
  }

  /** Its machine has turned out to be another one: its socket is forwarded. It stays so for that address. */
  async foundElsewhere(connection: Connection): Promise<string> {
    const { Name: name } = (await connection.docker.info()) as { Name?: string };
    const target = otherMachine(name ?? connection.host);
    this.forwarded.set(connection.host, target);
    connection.target = target;
    this.options.log.info({ host: connection.host, target }, 'the container engine is on another machine');
    return target;
  }

  /** What can be done when a call failed for that reason. An engine of another machine is started there. */
  remediesFor(error: unknown): readonly CheckRemedy[] {
    if (error instanceof NoEngine && error.isDenied) {
      return ['join-docker-group', 'choose-container-engine'];
    }
    const setting = this.options.dockerHost() ?? '';
    if (/^(ssh|tcp|http):/.test(setting)) {
      return ['choose-container-engine'];
    }
    return setting === ''
      ? ['start-container-engine', 'choose-container-engine', 'install-container-engine']
      : ['choose-container-engine', 'start-container-engine', 'install-container-engine'];
  }

  /** Aborted when the user names another engine: what is still open belongs to the old one. */
  get left(): AbortSignal {
    return this.leaving.signal;
  }

  /** The next call looks for an engine again. */
  lost(): void {
    this.drop(this.current);
  }

  /** What is open ends; the next call opens a connection again. */
  close(): void {
    this.drop(this.current, 'all');
    this.leaving.abort();
    this.leaving = new AbortController();
  }

  private forget(current: Endpoint['current']): void {
    if (this.current === current) {
      this.drop(current);
    }
  }

  private drop(current: Endpoint['current'], what: 'idle' | 'all' = 'idle'): void {
    this.current = undefined;
    current?.connection.then(({ close }) => close(what)).catch(() => undefined);
  }

  /** Where an engine was looked for last, e.g. `unix:///var/run/docker.sock`: of several the first at which something is. */
  get sought(): string | undefined {
    return this.lookedAt;
  }

  private async find(setting: string | undefined): Promise<Connection> {
    const tried: Tried[] = [];
    for (const candidate of await findCandidates(setting, this.options.environment)) {
      try {
        const connection = await openConnection(candidate, this.options.folder);
        connection.target = this.forwarded.get(connection.host) ?? connection.target;
        this.lookedAt = connection.host;
        this.options.log.info(
          { host: candidate.host, product: connection.product },
          'container engine found',
        );
        return connection;
      } catch (error) {
        if (error instanceof BerthError) {
          this.lookedAt = candidate.host;
          throw error;
        }
        const { host, origin } = candidate;
        const line = `${host} (${origin}): ${reasonOf(error)}`;
        tried.push({ host, line, said: engineMessage(error) });
      }
    }
    this.lookedAt = (meaningful(tried)[0] ?? tried[0])?.host;
    throw noEngine(tried);
  }
}

/** No container engine answers; `isDenied`: there is one whose socket this user may not use. */
class NoEngine extends BerthError {
  constructor(
    message: string,
    readonly isDenied: boolean,
    detail: string,
  ) {
    super('runtime_unavailable', message, {
      ...(detail !== '' && { detail }),
      hint: isDenied
        ? 'Your user may not use the socket: `sudo usermod -aG docker $USER`, then log in again.'
        : 'Start Docker or Podman, or install one; another address goes into the setting dockerHost.',
    });
  }
}

/** A place where no engine answered, and why, in words. */
interface Tried {
  host: string;
  line: string;
  /** By the system. */
  said: string;
}

/** Sockets that aren't there at all are the rule: only what is there and fails helps somebody. */
function meaningful(tried: readonly Tried[]): readonly Tried[] {
  return tried.length === 1 ? tried : tried.filter(({ said }) => !said.includes('ENOENT'));
}

function noEngine(tried: readonly Tried[]): NoEngine {
  const isDenied = tried.some(({ said }) => said.includes('EACCES'));
  const places = tried.map(({ host }) => host).join(', ');
  const nothing = tried.length === 0 ? '' : ` Nothing is at ${places}.`;
  const failed = meaningful(tried);
  const details = failed.length === 0 ? nothing : ` ${failed.map(({ line }) => line).join('; ')}.`;
  const said = failed.map((each) => `${each.host}: ${each.said}`).join('; ');
  return new NoEngine(`No container engine answers.${details}`, isDenied, said);
}

/** Settles with the call, or fails when its time is up or it is cancelled; what comes after that is tidied away. */
export async function limited<T>(running: Promise<T>, what: string, options: CallOptions<T>): Promise<T> {
  const { signal, timeoutMs = callTimeoutMs, late } = options;
  let release = (): void => undefined;
  let isOver = false;
  const tidy = (result: T): void => {
    if (isOver) {
      endStream(result);
      late?.(result);
    }
  };
  const ended = new Promise<never>((_, giveUp) => {
    const reject = (error: BerthError): void => {
      isOver = true;
      giveUp(error);
    };
    const timer = setTimeout(() => {
      reject(
        new BerthError(
          'runtime_unavailable',
          `The container engine did not ${what} within ${timeoutMs / 1000} s.`,
          {
            hint: 'Restart Docker or Podman if it hangs, then try again.',
          },
        ),
      );
    }, timeoutMs);
    const cancel = (): void => reject(new BerthError('cancelled', `Cancelled: ${what}.`));
    signal?.addEventListener('abort', cancel, { once: true });
    if (signal?.aborted === true) {
      cancel();
    }
    release = () => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', cancel);
    };
  });
  try {
    return await Promise.race([running, ended]);
  } finally {
    release();
    running.then(tidy).catch(() => undefined);
  }
}

/** Else its connection stays open for as long as the engine has something to send. */
function endStream(result: unknown): void {
  if (result instanceof Readable) {
    result.on('error', () => undefined).destroy();
  }
}
