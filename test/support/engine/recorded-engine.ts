/** Answers the routes that a test names, on a real socket, and records what was asked: for clients whose requests matter. */
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { EngineClient } from '../../../src/client/engine-client';

export interface Asked {
  /** E.g. `POST /v1/ssh-config/include`, with its query. */
  route: string;
  body: unknown;
}

/** The body of an answer: one of an `error` alone is a 404, every other one a 200. */
export type Answer = (asked: Asked) => unknown;

export interface RecordedEngine {
  client: EngineClient;
  asked: Asked[];
  /** By route without its query; everything else is a 404. */
  answers: Map<string, Answer>;
}

/** One engine for each test, gone after it. */
export function useRecordedEngine(): () => RecordedEngine {
  let server: Server;
  let folder: string;
  let engine: RecordedEngine | undefined;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'berth-r-'));
    const socket = join(folder, 'engine.sock');
    const asked: Asked[] = [];
    const answers = new Map<string, Answer>();
    server = createServer((request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        const text = Buffer.concat(chunks).toString();
        const route = `${request.method ?? ''} ${request.url ?? ''}`;
        const one: Asked = { route, body: text === '' ? undefined : (JSON.parse(text) as unknown) };
        asked.push(one);
        const body = answers.get(route.replace(/\?.*/, ''))?.(one);
        const error = { error: { code: 'not_found', message: `Nobody answers ${route}.` } };
        const keys = typeof body === 'object' && body !== null ? Object.keys(body) : [];
        const isGood = body !== undefined && keys.join() !== 'error';
        response.writeHead(isGood ? 200 : 404, { 'content-type': 'application/json' });
        response.end(JSON.stringify(body ?? error));
      });
    });
    server.listen(socket);
    await once(server, 'listening');
    engine = { client: new EngineClient(socket), asked, answers };
  });

  afterEach(async () => {
    engine?.client.dispose();
    server.closeAllConnections();
    server.close();
    await rm(folder, { recursive: true });
  });

  return () => {
    if (engine === undefined) throw new Error('the engine of a test is there while the test runs');
    return engine;
  };
}
