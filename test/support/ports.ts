import { createServer, type Server } from 'node:net';
import { once } from 'node:events';
import type { PortRange } from '../../src/backend/ssh/ports';

let next = 21_000 + Math.floor(Math.random() * 1_000) * 9;

/** A range of this process's own: tests run beside each other, and beside other programs. */
export function ownPortRange(size = 20): PortRange {
  const first = next;
  next += size;
  return { first, last: first + size - 1 };
}

/** Somebody else's program on that port. */
export async function occupy(port: number, host: string): Promise<Server> {
  const server = createServer((socket) => socket.destroy());
  server.listen({ port, host });
  await once(server, 'listening');
  return server;
}

export async function vacate(server: Server): Promise<void> {
  server.close();
  await once(server, 'close');
}
