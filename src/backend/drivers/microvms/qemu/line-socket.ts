/** Unix sockets that QEMU listens on: connected within a timeout, read line by line. */
import { connect, type Socket } from 'node:net';
import { StringDecoder } from 'node:string_decoder';
import { BerthError } from '../../../../api/errors';
import { isErrno } from '../../../machine/files';
import { askFor } from '../../../machine/wait';

const retryMs = 10;

export interface ConnectOptions {
  timeoutMs: number;
  signal?: AbortSignal;
  /** Why there is nothing to wait for any more, e.g. that the process has ended. */
  hopeless?: () => string | undefined;
}

/** Nobody listens there: certain, unlike a time-out. */
export function isNobodyThere(error: unknown): boolean {
  return isErrno(error, 'ENOENT', 'ECONNREFUSED');
}

function connectOnce(path: string): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect(path);
    socket.once('connect', () => {
      socket.removeAllListeners('error');
      resolve(socket);
    });
    socket.once('error', reject);
  });
}

/** Connects to a socket that may not be there yet. Throws `timeout`, with the last that was in the way. */
export async function connectSocket(path: string, options: ConnectOptions): Promise<Socket> {
  let last: unknown;
  const connected = await askFor(
    () =>
      connectOnce(path).catch((error: unknown) => {
        last = error;
        const ended = options.hopeless?.();
        // A full queue of connections (EAGAIN): somebody else is being served.
        const isForNow = isNobodyThere(error) || isErrno(error, 'EAGAIN');
        if (ended !== undefined || !isForNow) {
          throw new BerthError('runtime_unavailable', `${path} does not answer: ${ended ?? String(error)}`, {
            cause: error,
          });
        }
        return undefined;
      }),
    { ...options, what: `connect to ${path}`, intervalMs: retryMs },
  );
  if (connected === undefined) {
    const waited = `Timed out after ${options.timeoutMs / 1000} s waiting for ${path} to answer.`;
    throw new BerthError('timeout', waited, { cause: last });
  }
  return connected;
}

/** Calls back with every whole line, without its end. */
export function readLines(socket: Socket, longest: number, take: (line: string) => void): void {
  const decoder = new StringDecoder('utf8');
  let rest = '';
  socket.on('data', (chunk: Buffer) => {
    const parts = (rest + decoder.write(chunk)).split('\n');
    rest = parts.pop() ?? '';
    for (const line of parts) {
      take(line.endsWith('\r') ? line.slice(0, -1) : line);
    }
    if (rest.length > longest) {
      rest = '';
      socket.destroy(new Error('a line without end'));
    }
  });
}
