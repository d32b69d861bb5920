/** The connection to the engine: found when first needed, and found again after it went away. */
import { readFile } from 'node:fs/promises';
import { request as httpRequest } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import type Dockerode from 'dockerode';
import { parseDockerHost, type DockerTarget } from '../../../../api/rules/docker-host';
import { BerthError } from '../../../../api/errors';

import { readConfinement, type Confinement } from './confinement';
import { dockerClient } from './docker-client';
import { isConnectionError, toBerthError, wasNotSent } from './docker-errors';
import { findCandidates, type Candidate } from './endpoint-candidates';
import type { HostEnvironment } from '../../../machine/host-environment';
import type { Log } from '../../../machine/log';

const pingTimeoutMs = 2000;
const callTimeoutMs = 60_000;

export interface Connection {
  docker: Dockerode;
  host: string;
  /** E.g. `Docker 20.10.24`. */
  product: string;
  isPodman: boolean;
  /** Asked for with the first need of it. */
  confinement: () => Promise<Confinement>;
}

export interface EndpointOptions {
  dockerHost: () => string | undefined;
  surroundings: HostEnvironment;
  log: Log;
}

export interface CallOptions<T = unknown> {
  timeoutMs?: number;
  signal?: AbortSignal;
  /** For what comes when nobody waits for it any more. Streams are ended in any case. */
  late?: (result: T) => void;
}

interface Tls {
  ca: Buffer;
  cert: Buffer;
  key: Buffer;
}

export class Endpoint {
  private current: { connection: Promise<Connection>; setting: string | undefined } | undefined;
  private leaving = new AbortController();

  constructor(private readonly options: EndpointOptions) {}

  /** The engine that answers; throws `runtime_unavailable` naming every place that was tried. */
  connect(): Promise<Connection> {
    const setting = this.options.dockerHost();
    if (this.current !== undefined && this.current.setting !== setting) {
      this.current = undefined;
      this.leaving.abort();
      this.leaving = new AbortController();
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
   * One call of the engine. After `timeoutMs` (60 s) it counts as dead. A call that could not even be sent
   * is made once more, on the engine that answers now.
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

  /** Aborted when the user names another engine: what is still open belongs to the old one. */
  get left(): AbortSignal {
    return this.leaving.signal;
  }

  /** The next call looks for an engine again. */
  lost(): void {
    this.current = undefined;
  }

  private forget(current: Endpoint['current']): void {
    if (this.current === current) {
      this.current = undefined;
    }
  }

  private async find(setting: string | undefined): Promise<Connection> {
    const tried: string[] = [];
    for (const candidate of await findCandidates(setting, this.options.surroundings)) {
      try {
        const connection = await open(candidate);
        this.options.log.info(
          { host: candidate.host, product: connection.product },
          'container engine found',
        );
        return connection;
      } catch (error) {
        if (error instanceof BerthError) {
          throw error;
        }
        tried.push(`${candidate.host} (${candidate.origin}): ${reasonOf(error)}`);
      }
    }
    throw unavailable(tried);
  }
}

function unavailable(tried: readonly string[]): BerthError {
  const isDenied = tried.some((line) => line.includes('EACCES'));
  // Sockets that aren't there at all are the rule: only what is there and fails helps somebody.
  const telling = tried.length === 1 ? tried : tried.filter((line) => !line.includes('ENOENT'));
  const details = telling.length === 0 ? '' : ` ${telling.join('; ')}.`;
  return new BerthError('runtime_unavailable', `No container engine answers.${details}`, {
    hint: isDenied
      ? 'Your user may not use the socket: `sudo usermod -aG docker $USER`, then log in again.'
      : 'Start Docker or Podman, or install one; another address goes into the setting dockerHost.',
  });
}

async function open(candidate: Candidate): Promise<Connection> {
  const target = parseDockerHost(candidate.host, candidate.tls !== undefined);
  const tls = candidate.tls === undefined ? undefined : await readTls(candidate.tls);
  const server = await ping(target, tls);
  // Every key is named: the library would fill the missing ones from the environment.
  const docker = dockerClient({
    socketPath: undefined,
    host: undefined,
    port: undefined,
    ca: undefined,
    cert: undefined,
    key: undefined,
    ...target,
    ...tls,
    protocol: tls === undefined ? 'http' : 'https',
  });
  const product = productOf(server);
  const confinement = kept(() => readConfinement(docker, product.isPodman));
  return { docker, host: candidate.host, ...product, confinement };
}

/** Read once; again after a failure. */
function kept<T>(read: () => Promise<T>): () => Promise<T> {
  let value: Promise<T> | undefined;
  return () => {
    value ??= read().catch((error: unknown) => {
      value = undefined;
      throw error;
    });
    return value;
  };
}

/** Reads the `Server` header: `Docker/20.10.24 (linux)` or `Libpod/4.3.1 (linux)`. */
export function productOf(server: string): { product: string; isPodman: boolean } {
  const [, name, version] = /^([A-Za-z]+)\/([^\s]+)/.exec(server) ?? [];
  const isPodman = name?.toLowerCase() === 'libpod';
  const product = isPodman ? 'Podman' : 'Docker';
  return {
    product: version === undefined ? product : `${product} ${version.split('+')[0] ?? version}`,
    isPodman,
  };
}

function ping(target: DockerTarget, tls: Tls | undefined): Promise<string> {
  const request = tls === undefined ? httpRequest : httpsRequest;
  return new Promise((resolve, reject) => {
    const options = { ...target, ...tls, path: '/_ping', timeout: pingTimeoutMs, agent: false };
    const call = request(options, (response) => {
      response.resume();
      if (response.statusCode === 200) {
        resolve([response.headers.server ?? ''].flat().join(' '));
      } else {
        reject(new Error(`answered ${response.statusCode ?? 0} to /_ping`));
      }
    });
    call.on('timeout', () => call.destroy(new Error(`no answer within ${pingTimeoutMs} ms`)));
    call.on('error', reject);
    call.end();
  });
}

async function readTls(folder: string): Promise<Tls> {
  const [ca, cert, key] = await Promise.all(
    (['ca.pem', 'cert.pem', 'key.pem'] as const).map((file) => readFile(join(folder, file))),
  );
  if (ca === undefined || cert === undefined || key === undefined) {
    throw new Error(`${folder} lacks ca.pem, cert.pem or key.pem`);
  }
  return { ca, cert, key };
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

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
