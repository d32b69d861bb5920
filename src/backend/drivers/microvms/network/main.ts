/**
 * Stands between the network card of one guest and QEMU's user network. Its own process, as it lives as long as QEMU
 * does, whatever becomes of the engine. Arguments: the sockets of QEMU that frames come out of and go into, and the one
 * that this process listens on, by which engines know that it lives.
 */
import { rmSync } from 'node:fs';
import { connect, createServer, type Socket } from 'node:net';
import { relay } from './relay';

function connected(path: string): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect(path, () => resolve(socket));
    socket.on('error', reject);
    // Without one of its sides it is of no use: QEMU has ended, or is to get another filter.
    socket.once('close', () => process.exit(0));
  });
}

async function main(from: string, to: string, life: string): Promise<void> {
  process.once('exit', () => rmSync(life, { force: true }));
  const [source, target] = await Promise.all([connected(from), connected(to)]);
  // Nobody writes to the one, or reads from the other.
  target.resume();
  relay(source, target);
  const server = createServer((client) => client.on('error', () => undefined).resume());
  server.on('error', fail);
  server.listen(life);
}

function fail(error: unknown): void {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
  process.exit();
}

const [from = '', to = '', life = ''] = process.argv.slice(2);
main(from, to, life).catch(fail);
