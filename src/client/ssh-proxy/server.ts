/** The server of a workspace, as ssh would reach it without us. */
import { connect, type Socket } from 'node:net';

/** A connection, not read from for now, with what its server said first (RFC 4253, section 4.2). */
export interface Server {
  socket: Socket;
  greeting: Buffer;
}

/** Undefined where no server of ssh speaks within `timeoutMs`. */
export function openServer(port: number, timeoutMs: number): Promise<Server | undefined> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: '127.0.0.1' });
    let greeting = Buffer.alloc(0);
    const end = (isServer: boolean): void => {
      clearTimeout(timer);
      socket.off('data', read).off('close', close);
      if (isServer) {
        socket.pause().off('error', close);
      } else {
        socket.destroy();
      }
      resolve(isServer ? { socket, greeting } : undefined);
    };
    const close = (): void => end(false);
    const read = (chunk: Buffer): void => {
      greeting = Buffer.concat([greeting, chunk]);
      const start = greeting.subarray(0, 4).toString('latin1');
      if (!'SSH-'.startsWith(start) || greeting.length > 255 || greeting.includes('\n')) {
        end(start === 'SSH-');
      }
    };
    const timer = setTimeout(close, timeoutMs);
    socket.on('error', close).on('close', close).on('data', read);
  });
}
