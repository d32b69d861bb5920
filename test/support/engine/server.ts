/** The HTTP server of a test engine, on a real socket. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { FastifyInstance } from 'fastify';
import { listen } from '../../../src/backend/listen';
import type { FindPrincipal } from '../../../src/backend/server/guard';
import { createServer } from '../../../src/backend/server/server';
import { EngineClient } from '../../../src/client/engine-client';
import { useEngine, type StartOptions, type TestEngine } from './engine';

export interface TestServer extends TestEngine {
  server: FastifyInstance;
  socket: string;
  client: EngineClient;
}

export interface ServerOptions extends StartOptions {
  /** Who sends what; the owner sends all where it is left out. */
  principalOf?: FindPrincipal;
}

export function useServer(): { start: (options?: ServerOptions) => Promise<TestServer> } {
  const running: { server: FastifyInstance; client: EngineClient; folder: string }[] = [];
  afterEach(async () => {
    for (const { server, client, folder } of running.splice(0)) {
      client.dispose();
      await server.close();
      await rm(folder, { recursive: true });
    }
  });
  const engines = useEngine();
  const start = async ({ principalOf, ...options }: ServerOptions = {}): Promise<TestServer> => {
    const test = await engines.start(options);
    const folder = await mkdtemp(join(tmpdir(), 'berth-s-'));
    const socket = join(folder, 'engine.sock');
    const server = await createServer(test.services, '1.0.0', principalOf);
    const client = new EngineClient(socket);
    running.push({ server, client, folder });
    await listen(server, socket);
    return Object.assign(test, { server, socket, client });
  };
  return { start };
}
