/** The typed client of the engine API, used by the extension, the CLI and tests alike. */
import type { IncomingMessage } from 'node:http';
import type { Readable } from 'node:stream';
import { fillPath, paths, streamPaths, type RouteId } from '../api/paths';
import type { RouteAnswer, RouteBody, RouteParams, RouteQuery } from '../api/routes';
import type { StreamId, StreamQuery } from '../api/streams';
import type { FileEntry } from '../api/files/schemas';
import type { Operation } from '../api/operations/schemas';
import { BerthError, isErrorCode } from '../api/errors';
import { EngineUnreachable, Transport, readAll, type HttpRequest } from './transport';

type Part<Key extends string, T> = T extends undefined ? Partial<Record<Key, never>> : Record<Key, T>;
type OptionalPart<Key extends string, T> = T extends undefined
  ? Partial<Record<Key, never>>
  : Partial<Record<Key, T>>;

export type CallInput<Id extends RouteId> = Part<'params', RouteParams<Id>> &
  OptionalPart<'query', RouteQuery<Id>> &
  Part<'body', RouteBody<Id>> & { signal?: AbortSignal };

type AnyInput = {
  params?: Record<string, string>;
  query?: Record<string, unknown>;
  body?: unknown;
  signal?: AbortSignal;
};

/** `?a=1&b=2`; values that are undefined are left out. */
function queryString(query: Readonly<Record<string, unknown>> = {}): string {
  const given = Object.entries(query).filter(([, value]) => value !== undefined);
  const search = new URLSearchParams(
    Object.fromEntries(given.map(([key, value]) => [key, String(value)])),
  ).toString();
  return search === '' ? '' : `?${search}`;
}

/** The query of a stream, as the contract has it. */
export function streamQuery<Id extends StreamId>(query: StreamQuery<Id>): string {
  return queryString(query);
}

export class EngineClient {
  readonly transport: Transport;
  private isDisposed = false;

  /** `revive` makes sure that an engine answers; without it, a request that finds none fails. */
  constructor(
    readonly socketPath: string,
    private readonly revive?: () => Promise<void>,
  ) {
    this.transport = new Transport(socketPath);
  }

  /**
   * What `ask` resolves with. Where the engine has just ended, another is started and asked: only when the first has done
   * nothing of it, so that nothing is done twice.
   */
  async reach<T>(ask: () => Promise<T>, signal?: AbortSignal): Promise<T> {
    try {
      return await ask();
    } catch (error) {
      const isToBeSentAgain = error instanceof EngineUnreachable && error.isUntouched;
      if (!isToBeSentAgain || this.revive === undefined || this.isDisposed || signal?.aborted === true) {
        throw error;
      }
    }
    await this.revive();
    return ask();
  }

  /** Calls one route of the contract. The engine validates; the answer has the type of the contract. */
  call<Id extends RouteId>(id: Id, input: CallInput<Id>): Promise<RouteAnswer<Id>> {
    return this.reach(() => this.callRunning(id, input), input.signal);
  }

  /** The same for who asks about the engine itself: starts none. */
  async callRunning<Id extends RouteId>(id: Id, input: CallInput<Id>): Promise<RouteAnswer<Id>> {
    const [method, path] = paths[id];
    const { params, query, body, signal }: AnyInput = input;
    const answer = await this.transport.json({
      method,
      path: fillPath(path, params) + queryString(query),
      ...(body !== undefined && {
        body: JSON.stringify(body),
        headers: { 'content-type': 'application/json' },
      }),
      ...(signal !== undefined && { signal }),
    });
    return answer as RouteAnswer<Id>;
  }

  async readFile(
    volume: string,
    path: string,
    options: { offset?: number; length?: number; signal?: AbortSignal } = {},
  ): Promise<Buffer> {
    return readAll(await this.openFile(volume, path, options));
  }

  async openFile(
    volume: string,
    path: string,
    options: { offset?: number; length?: number; signal?: AbortSignal } = {},
  ): Promise<IncomingMessage> {
    const { signal, ...range } = options;
    return this.openAnswer({
      path: fillPath(streamPaths.fileContent, { volume }) + streamQuery<'files.read'>({ path, ...range }),
      ...(signal !== undefined && { signal }),
    });
  }

  async writeFile(
    volume: string,
    path: string,
    content: Buffer | Readable,
    options: Omit<StreamQuery<'files.write'>, 'path'>,
    signal?: AbortSignal,
  ): Promise<FileEntry> {
    const request = {
      method: 'PUT',
      path: fillPath(streamPaths.fileContent, { volume }) + streamQuery<'files.write'>({ path, ...options }),
      headers: { 'content-type': 'application/octet-stream' },
      body: content,
      ...(signal !== undefined && { signal }),
    };
    const write = () => this.transport.json(request);
    // A stream can be sent once only.
    return (await (Buffer.isBuffer(content) ? this.reach(write, signal) : write())) as FileEntry;
  }

  /** The log of a workspace as text; ends by itself unless `follow`. */
  async logs(
    name: string,
    options: { tail?: number; follow?: boolean; timestamps?: boolean; signal?: AbortSignal } = {},
  ): Promise<IncomingMessage> {
    const { signal, ...query } = options;
    return this.openAnswer({
      path: fillPath(streamPaths.logs, { name }) + streamQuery<'workspaces.logs'>(query),
      ...(query.follow === true && { ownConnection: true }),
      ...(signal !== undefined && { signal }),
    });
  }

  /** Waits for an operation to end; rejects with its error when it failed. Cancels it when the signal fires. */
  async waitFor(operation: Operation, signal?: AbortSignal): Promise<Operation> {
    let current = operation;
    const cancel = () => {
      void this.call('operations.cancel', { params: { id: operation.id } }).catch(() => undefined);
    };
    if (signal?.aborted === true) {
      cancel();
    }
    signal?.addEventListener('abort', cancel, { once: true });
    try {
      while (current.status === 'running') {
        current = await this.call('operations.get', {
          params: { id: operation.id },
          query: { wait: 30_000 },
        });
      }
    } finally {
      signal?.removeEventListener('abort', cancel);
    }
    return settled(current);
  }

  dispose(): void {
    this.isDisposed = true;
    this.transport.dispose();
  }

  private openAnswer(request: Omit<HttpRequest, 'method'>): Promise<IncomingMessage> {
    return this.reach(() => this.transport.open({ method: 'GET', ...request }), request.signal);
  }
}

/** A finished operation. Throws `cancelled` or the operation's own error. */
export function settled(operation: Operation): Operation {
  if (operation.status === 'succeeded' || operation.status === 'running') {
    return operation;
  }
  if (operation.status === 'cancelled') {
    throw new BerthError('cancelled', `${operation.title}: cancelled.`);
  }
  const error = operation.error;
  const code = error !== undefined && isErrorCode(error.code) ? error.code : 'internal';
  throw new BerthError(code, error?.message ?? `${operation.title} failed.`, error);
}
