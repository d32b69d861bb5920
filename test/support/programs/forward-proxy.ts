/** Real proxies on loopback: HTTP (CONNECT, and whole addresses) and SOCKS5. Every name leads to one port of this machine. */
import { createServer as createHttpServer, request } from 'node:http';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';

export interface ForwardProxy {
  port: number;
  /** What it was asked for, with the credentials that came along. */
  asked: string[];
  close(): Promise<void>;
}

/** `answer`: what every CONNECT gets instead of a way; 0 for nothing at all. */
export async function httpProxy(targetPort: () => number, answer = 200): Promise<ForwardProxy> {
  const asked: string[] = [];
  const note = (what: string, authorization: string | undefined): void => {
    const [, encoded = ''] = (authorization ?? '').split(' ');
    asked.push(`${what} ${Buffer.from(encoded, 'base64').toString()}`.trim());
  };
  const server = createHttpServer((incoming, response) => {
    note(`${incoming.method ?? ''} ${incoming.url ?? ''}`, incoming.headers['proxy-authorization']);
    const { pathname } = new URL(incoming.url ?? '', 'http://unknown');
    request({ port: targetPort(), path: pathname }, (got) => {
      response.writeHead(got.statusCode ?? 500, got.headers);
      got.pipe(response);
    }).end();
  });
  server.on('connect', ({ url = '', headers }, socket: Socket) => {
    note(`CONNECT ${url}`, headers['proxy-authorization']);
    socket.on('error', () => undefined);
    if (answer === 200) {
      socket.write('HTTP/1.1 200 Connection established\r\n\r\n');
      join(socket, targetPort());
    } else if (answer > 0) {
      socket.end(`HTTP/1.1 ${answer} No\r\nContent-Length: 6\r\n\r\nno way`);
    }
  });
  return listen(server, asked);
}

/** Without a password; RFC 1928, names and IPv4 addresses. */
export async function socksProxy(targetPort: () => number): Promise<ForwardProxy> {
  const asked: string[] = [];
  const server = createServer((socket) => {
    socket.on('error', () => undefined);
    socket.once('data', () => {
      socket.write(Buffer.from([5, 0]));
      socket.once('data', (ask: Buffer) => {
        const isName = ask[3] === 3;
        const end = isName ? 5 + (ask[4] ?? 0) : 8;
        const name = isName ? ask.toString('latin1', 5, end) : [...ask.subarray(4, 8)].join('.');
        asked.push(`SOCKS ${name}:${ask.readUInt16BE(end)}`);
        socket.write(Buffer.from([5, 0, 0, 1, 0, 0, 0, 0, 0, 0]));
        join(socket, targetPort());
      });
    });
  });
  return listen(server, asked);
}

function join(socket: Socket, port: number): void {
  const target = connect(port, '127.0.0.1');
  target.on('error', () => socket.destroy());
  socket.on('error', () => target.destroy());
  socket.pipe(target).pipe(socket);
}

async function listen(server: Server, asked: string[]): Promise<ForwardProxy> {
  const sockets = new Set<Socket>();
  server.on('connection', (socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
  });
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  return {
    port: (server.address() as AddressInfo).port,
    asked,
    close: () =>
      new Promise((closed) => {
        sockets.forEach((socket) => socket.destroy());
        server.close(() => {
          closed();
        });
      }),
  };
}
