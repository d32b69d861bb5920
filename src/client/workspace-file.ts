/** Workspaces as files of this machine, whole or not at all. */
import { randomBytes } from 'node:crypto';
import { rmSync, type Stats } from 'node:fs';
import { link, lstat, open, rename, rm, type FileHandle } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { Writable, type Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { BerthError } from '../api/errors';
import type { Operation } from '../api/operations/schemas';
import { fillPath, streamPaths } from '../api/paths';
import { failureOf } from '../api/rules/results';
import { mebibyte } from '../api/rules/sizes';
import type { ExportQuery, ImportQuery, ImportResult } from '../api/workspaces/export';
import { streamQuery, settled, type EngineClient } from './engine-client';
import { wrapTransportError } from './transport';

/** As `operationHeader` of the contract, which carries a schema library. */
const operationHeader = 'berth-operation';
const endMs = 30_000;

export interface ExportOptions extends ExportQuery {
  signal: AbortSignal;
  /** The operation, when it has begun. */
  begun?: (id: string) => void;
}

/** Writes a workspace to `target`. Answers the operation, which has ended; throws its error. */
export async function exportWorkspace(
  client: EngineClient,
  name: string,
  target: Writable,
  { signal, begun, ...query }: ExportOptions,
): Promise<Operation> {
  const path = fillPath(streamPaths.export, { name }) + streamQuery<'workspaces.export'>(query);
  const request = { method: 'GET', path, ownConnection: true, signal };
  const content = await client.reach(() => client.transport.open(request), signal);
  const id = String(content.headers[operationHeader]);
  begun?.(id);
  const ended = (): Promise<Operation> =>
    client.call('operations.get', { params: { id }, query: { wait: endMs } });
  try {
    await pipeline(content, target, { signal });
  } catch (error) {
    if (signal.aborted || isOfTarget(error)) {
      throw signal.aborted ? new BerthError('cancelled', 'Cancelled.', { cause: error }) : error;
    }
    // The connection was cut off: why, the operation knows.
    const { status, ...rest } = await ended();
    throw status === 'failed' && rest.error !== undefined
      ? failureOf({ error: rest.error })
      : wrapTransportError(error);
  }
  return settled(await ended());
}

/** What the system says of a file or a pipe, and not of the socket. */
function isOfTarget(error: unknown): boolean {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  return ['ENOSPC', 'EDQUOT', 'EIO', 'EFBIG', 'EPIPE', 'EROFS'].includes(String(code));
}

/**
 * The same into a file, which is there when it is whole. An existing one is replaced with `force` only: else
 * `path_exists`. Throws `cancelled`, and `no_space` where the file has no room.
 */
export async function exportToFile(
  client: EngineClient,
  name: string,
  path: string,
  { force, ...options }: ExportOptions & { force: boolean },
): Promise<Operation> {
  await refuseExisting(path, force);
  const part = join(dirname(path), `.${basename(path).slice(0, 200)}.part-${randomBytes(4).toString('hex')}`);
  const file = await open(part, 'wx', 0o600).catch((error: unknown) => {
    throw new BerthError('path_not_found', `${path} can't be written: ${String(error)}.`, {
      field: 'output',
      cause: error,
    });
  });
  const { signal } = options;
  // At once: a window that closes waits for nothing.
  const remove = (): void => {
    try {
      rmSync(part, { force: true });
    } catch {
      // It is tried again at the end.
    }
  };
  signal.addEventListener('abort', remove);
  try {
    const ended = await exportWorkspace(client, name, writableOf(file), options);
    await file.sync();
    await file.close();
    await place(part, path, force);
    await syncFolder(dirname(path));
    return ended;
  } catch (error) {
    if (signal.aborted) {
      throw new BerthError('cancelled', 'Cancelled.', { cause: error });
    }
    throw isFull(error)
      ? new BerthError('no_space', `There is no room for ${path}.`, {
          hint: 'Free some, or choose another place.',
          cause: error,
        })
      : error;
  } finally {
    signal.removeEventListener('abort', remove);
    await file.close().catch(() => undefined);
    await rm(part, { force: true });
  }
}

/** It does not close the file, which is to be synced at the end. */
function writableOf(file: FileHandle): Writable {
  return new Writable({
    highWaterMark: mebibyte,
    write: (chunk: Buffer, _encoding, done) => {
      file.writeFile(chunk).then(() => done(), done);
    },
  });
}

/** Throws `path_exists`: a device or folder is not replaced at all. */
async function refuseExisting(path: string, force: boolean): Promise<void> {
  const found: Stats | undefined = await lstat(path).catch(() => undefined);
  if (found !== undefined && !(force && found.isFile())) {
    throw exists(path, found.isFile());
  }
}

function exists(path: string, isFile: boolean): BerthError {
  return new BerthError('path_exists', `${path} exists already.`, {
    field: 'output',
    hint: isFile ? 'Choose another name, or replace it with `--force`.' : 'Choose another name.',
  });
}

/** A name that somebody has taken meanwhile is not taken from him: `link` replaces nothing. */
async function place(part: string, path: string, force: boolean): Promise<void> {
  if (force) {
    await rename(part, path);
    return;
  }
  try {
    await link(part, path);
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    if (code === 'EEXIST') {
      throw exists(path, true);
    }
    // A file system without links.
    await refuseExisting(path, false);
    await rename(part, path);
  }
}

async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, 'r').catch(() => undefined);
  // Windows opens none, and needs none.
  await folder?.sync().catch(() => undefined);
  await folder?.close();
}

function isFull(error: unknown): boolean {
  return error instanceof Error && 'code' in error && ['ENOSPC', 'EDQUOT'].includes(String(error.code));
}

/** Makes a workspace of what `content` has. Resolves when it is there. */
export async function importWorkspace(
  client: EngineClient,
  content: Readable,
  query: ImportQuery,
  signal: AbortSignal,
): Promise<ImportResult> {
  return (await client.transport.json({
    method: 'PUT',
    path: streamPaths.import + streamQuery<'workspaces.import'>(query),
    headers: { 'content-type': 'application/octet-stream' },
    // On a connection that stays: one that the engine closes after a refusal loses it, as it still sends.
    body: content,
    signal,
  })) as ImportResult;
}
