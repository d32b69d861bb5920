import { createServer, type Server } from 'node:net';
import { once } from 'node:events';
import type { PortRange } from '../../src/backend/ssh/ports';

/** What BERTH_TEST_PORTS (`FIRST-LAST`) gives to this suite, as others run beside it. */
const [lowest = 0, highest = 0] = (process.env.BERTH_TEST_PORTS ?? '21000-30000').split('-').map(Number);
/** Somewhere in the first half: another copy of the tests may run on this machine. */
let next = lowest + Math.floor((Math.random() * (highest - lowest)) / 2);

/** A range of this process's own: tests run beside each other, and beside other programs. */
export function ownPortRange(size = 20): PortRange {
  if (next + size - 1 > highest) next = lowest;
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
