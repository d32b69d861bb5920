/** Listening on the engine's socket: private, and never on top of a living one. */
import { chmod, mkdir, realpath, rm, rmdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { FastifyInstance } from 'fastify';
import { refuseForeignFolder } from '../api/rules/endpoint';

/** To be called with the engine's lock held: a socket file that is there belongs to a dead engine. */
export async function listen(server: FastifyInstance, path: string): Promise<void> {
  if (process.platform === 'win32') {
    await server.listen({ path });
    return;
  }
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  refuseForeignFolder(dirname(path));
  await rm(path, { force: true });
  await server.listen({ path });
  await chmod(path, 0o600);
}

/** Removes the folder that was made for the socket of a home with a long path. To be called with the lock held. */
export async function removeSocketFolder(path: string, home: string): Promise<void> {
  const folder = dirname(path);
  if (process.platform !== 'win32' && folder !== (await realpath(home))) {
    // What is not empty stays.
    await rmdir(folder).catch(() => undefined);
  }
}
