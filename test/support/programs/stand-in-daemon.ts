/** A container engine that answers as the test says, on a real socket: for what the real ones do not do on demand. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { join } from 'node:path';
import { json } from 'node:stream/consumers';
import { Endpoint } from '../../../src/backend/drivers/containers/engine/endpoint';
import { useTempFolder } from '../temp';

/** Undefined: it never answers. */
export type Answer = { status: number; body?: unknown } | undefined;

export interface StandIn {
  /** Requests so far: `POST /containers/create`, without the version and the query. */
  asked: string[];
  /** What came with them as JSON, in the order of their ends. */
  bodies: { request: string; body: unknown }[];
  /** By the end of a request, e.g. `/start`; what has none is not found. The first that fits answers. */
  answers: Map<string, (request: string) => Answer | Promise<Answer>>;
  endpoint: Endpoint;
}

const nothing = () => undefined;
const quiet = { debug: nothing, info: nothing, warn: nothing, error: nothing };

/** `server`: how it calls itself, e.g. `Libpod/4.3.1 (linux)`. */
export function useStandIn(server: string): () => StandIn {
  const folder = useTempFolder();
  let standIn: StandIn;
  let daemon: Server;
  const respond = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const path = decodeURIComponent(new URL(request.url ?? '/', 'http://engine').pathname);
    const line = `${request.method ?? ''} ${path.replace(/^\/v[\d.]+\//, '/')}`;
    const { bodies } = standIn;
    // Many have none, or none that is JSON.
    void json(request).then(
      (body) => bodies.push({ request: line, body }),
      () => undefined,
    );
    standIn.asked.push(line);
    const [, answerOf] = [...standIn.answers].find(([end]) => line.endsWith(end)) ?? [];
    const missing = { status: 404, body: { message: `no ${line}` } };
    const answer = answerOf === undefined ? missing : await answerOf(line);
    if (answer !== undefined) {
      response.writeHead(answer.status, { server, 'content-type': 'application/json' });
      response.end(answer.body === undefined ? '' : JSON.stringify(answer.body));
    }
  };
  beforeEach(async () => {
    const socket = join(folder(), 'engine.sock');
    const endpoint = new Endpoint({
      dockerHost: () => `unix://${socket}`,
      environment: { env: {}, home: folder(), platform: 'linux', uid: 0 },
      log: quiet,
    });
    standIn = { asked: [], bodies: [], answers: new Map([['/_ping', () => ({ status: 200 })]]), endpoint };
    daemon = createServer((request, response) => void respond(request, response));
    await new Promise<void>((done) => daemon.listen(socket, done));
  });
  afterEach(() => {
    daemon.close();
    daemon.closeAllConnections();
  });
  return () => standIn;
}
