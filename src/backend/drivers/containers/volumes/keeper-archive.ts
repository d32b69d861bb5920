/** Tars into and out of a keeper by Docker's archive calls: the daemon does the work, not the agent. */
import type Dockerode from 'dockerode';
import { IncomingMessage } from 'node:http';
import { Readable } from 'node:stream';
import { BerthError } from '../../../../api/errors';
import { encodeName } from '../../../machine/file-names';
import { readableOf, takeAll, type TakeChunk, type TarSource } from '../../../tar/flow';
import { toBerthError } from '../engine/docker-errors';
import { keeperRoot } from './keeper-container';
import { rawGet, rawPut } from './keeper-socket';

/** Go's bit for sockets, as the engine writes modes. */
const modeSocket = 1 << 24;

function asArchiveError(error: unknown, what: string, signal?: AbortSignal): BerthError {
  return signal?.aborted === true ? new BerthError('cancelled', 'Cancelled.') : toBerthError(error, what);
}

/** Bytes of a path as a query has them: names need not be UTF-8. */
function percentEncoded(path: string): string {
  return Array.from(encodeName(path), (byte) => `%${byte.toString(16).padStart(2, '0')}`).join('');
}

/**
 * A tar of a path below a folder of the container, its entries named from the base name; those of the root, from `.`.
 * Throws what the engine refuses, `cancelled`.
 */
export async function getArchive(
  docker: Dockerode,
  id: string,
  path: string,
  signal?: AbortSignal,
  root = keeperRoot,
): Promise<Readable> {
  const source = root + (path === '/' ? '/.' : path);
  try {
    return await new Promise<Readable>((resolve, reject) => {
      const done = (error: unknown, answer: unknown): void => {
        if (answer instanceof Readable) {
          resolve(answer);
        } else {
          reject(error instanceof Error ? error : new Error('the engine answered without a tar'));
        }
      };
      docker.modem.dial(
        {
          // The library drops the last character of a path that ends a query.
          path: `/containers/${id}/archive?path=${percentEncoded(source)}&`,
          method: 'GET',
          isStream: true,
          statusCodes: { 200: true, 400: 'bad parameter', 404: 'no such path', 500: 'server error' },
          ...(signal && { abortSignal: signal }),
        },
        done,
      );
    });
  } catch (error) {
    throw asArchiveError(error, `read ${path}`, signal);
  }
}

/** Whether there is a socket at a path of a container, which no archive can carry. */
export async function isSocketIn(docker: Dockerode, id: string, path: string): Promise<boolean> {
  const header = await new Promise<unknown>((resolve, reject) => {
    const options = {
      path: `/containers/${id}/archive?path=${percentEncoded(path)}&`,
      method: 'HEAD',
      isStream: true,
      statusCodes: { 200: true, 400: 'bad parameter', 404: true, 500: 'server error' },
    };
    docker.modem.dial(options, (error: unknown, answer: unknown) => {
      if (answer instanceof IncomingMessage) {
        answer.resume();
        resolve(answer.headers['x-docker-container-path-stat']);
      } else {
        reject(error instanceof Error ? error : new Error('the engine did not answer'));
      }
    });
  });
  const status: unknown =
    typeof header === 'string' ? JSON.parse(Buffer.from(header, 'base64').toString()) : {};
  return hasMode(status) && (status.mode & modeSocket) !== 0;
}

function hasMode(status: unknown): status is { mode: number } {
  return typeof status === 'object' && status !== null && 'mode' in status && typeof status.mode === 'number';
}

/** The socket of an engine on this machine; undefined for one that is reached over the network. */
async function socketOf(docker: Dockerode): Promise<string | undefined> {
  const modem: object = docker.modem;
  if (!('socketPath' in modem)) {
    return undefined;
  }
  // By default it is a function that looks for the socket.
  const known: unknown = modem.socketPath;
  const path: unknown = typeof known === 'function' ? await Reflect.apply(known, modem, []) : known;
  return typeof path === 'string' ? path : undefined;
}

/** As `getArchive`, handed over in chunks. Throws as that does. */
export async function receiveArchive(
  docker: Dockerode,
  id: string,
  path: string,
  take: TakeChunk,
  signal?: AbortSignal,
): Promise<void> {
  const socket = await socketOf(docker);
  if (socket === undefined) {
    return takeAll(await getArchive(docker, id, path, signal), take);
  }
  const source = percentEncoded(keeperRoot + (path === '/' ? '/.' : path));
  try {
    await rawGet(socket, `/containers/${id}/archive?path=${source}`, take, signal);
  } catch (error) {
    throw asArchiveError(error, `read ${path}`, signal);
  }
}

/** As `putArchive`, of a tar that is made as it is sent. Throws as that does. */
export async function sendArchive(
  docker: Dockerode,
  id: string,
  folder: string,
  tar: TarSource,
  signal?: AbortSignal,
): Promise<void> {
  const socket = await socketOf(docker);
  if (socket === undefined) {
    return putArchive(docker.getContainer(id), folder, readableOf(tar), signal);
  }
  const target = percentEncoded(keeperRoot + folder);
  try {
    await rawPut(socket, `/containers/${id}/archive?path=${target}`, tar, signal);
  } catch (error) {
    throw asArchiveError(error, 'unpack the upload', signal);
  }
}

/**
 * Unpacks a tar into a folder of the volume, with owners, modes and times as they are in it. Throws what the engine
 * refuses, `cancelled`.
 */
export async function putArchive(
  container: Dockerode.Container,
  folder: string,
  tar: Readable,
  signal?: AbortSignal,
): Promise<void> {
  // A tar that fails must fail the call, and must not be taken for one that is complete.
  let failure: unknown;
  const body = tar.on('error', (error) => (failure = error));
  try {
    await container.putArchive(body, {
      path: keeperRoot + folder,
      ...(signal && { abortSignal: signal }),
    });
  } catch (error) {
    throw asArchiveError(failure ?? error, 'unpack the upload', signal);
  } finally {
    tar.destroy();
  }
}
