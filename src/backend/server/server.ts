/** The HTTP server: routes of the contract, streams, OpenAPI, and errors in one form. */
import type { Socket } from 'node:net';
import fastify, { type FastifyInstance, type FastifyRequest } from 'fastify';
import websocket from '@fastify/websocket';
import { BerthError, asBerthError } from '../../api/errors';
import { paths, streamPaths } from '../../api/paths';
import { mebibyte } from '../../api/rules/sizes';
import { streams } from '../../api/streams';
import { registerAttach } from './attach';
import { closeInOrder } from './closing';
import { guardRoutes, ofSocket, type FindPrincipal } from './guard';
import { makeHandlers } from './handlers';
import { registerLease } from './lease-route';
import { describeRoutes } from './described-routes';
import { registerHandlers } from './register';
import type { Services } from './services';
import { registerStreams } from './stream-routes';
import { makeValidator, noCompilers } from './validation';
import { nameWholeVolumes } from './volume-names';

const readStreams = new Set<string>([streamPaths.fileContent, streamPaths.fileArchive, streamPaths.logs]);
const bodyLimit = 16 * mebibyte;

/** `principalOf` says who sent a request: without it, all are the owner's. */
export async function createServer(
  services: Services,
  version: string,
  principalOf: FindPrincipal = ofSocket,
): Promise<FastifyInstance> {
  const server = fastify({
    logger: false,
    bodyLimit,
    forceCloseConnections: true,
    // `closeInOrder` refuses in our own form.
    return503OnClosing: false,
    exposeHeadRoutes: false,
    // What is wrong before there is a route is said in the same form as all else.
    frameworkErrors: (error, _request, reply) => {
      reply.hijack();
      reply.raw.writeHead(400, { 'content-type': 'application/json' });
      reply.raw.end(JSON.stringify(errorAnswer(mistake(error))));
    },
    clientErrorHandler: refuseMalformed,
    schemaController: { compilersFactory: noCompilers },
  });
  server.setValidatorCompiler(({ schema, httpPart }) => makeValidator(schema as object, httpPart));
  // Answers are made by us and typed: checking them again would cost more than it finds.
  server.setSerializerCompiler(() => (answer) => JSON.stringify(answer));
  setErrors(server, services);
  closeInOrder(server);
  guardRoutes(server, services.visibility, principalOf);
  takeEmptyJson(server);
  server.addContentTypeParser('application/octet-stream', (_request, payload, done) => done(null, payload));
  const describe = describeRoutes(server, version);
  await server.register(websocket);
  holdWhileAnswering(server, services);
  nameWholeVolumes(server, services);
  registerHandlers(server, makeHandlers(services));
  registerStreams(server, services);
  registerAttach(server, services);
  registerLease(server, services);
  server.get(
    streams.openapi.path,
    { config: { scope: streams.openapi.scope }, schema: { hide: true } },
    describe,
  );
  return server;
}

/** Many clients say JSON of every request, also of one without a body. Where a body is needed, its schema misses it. */
function takeEmptyJson(server: FastifyInstance): void {
  const parse = server.getDefaultJsonParser('error', 'error');
  server.addContentTypeParser('application/json', { parseAs: 'string' }, (request, body, done) => {
    if (body === '') {
      done(null, undefined);
    } else {
      void parse(request, String(body), done);
    }
  });
}

/** The engine stays as long as it owes somebody an answer, be it a command of an hour or a large file. */
function holdWhileAnswering(server: FastifyInstance, { lifetime, work }: Services): void {
  server.addHook('onRequest', (request, reply, done) => {
    // A WebSocket has no answer to wait for: its own handler holds.
    if (request.ws) {
      lifetime.touch();
    } else {
      const release = lifetime.hold();
      const end = isWork(request)
        ? work.begin(`${request.method} ${request.url.split('?')[0] ?? ''}`)
        : undefined;
      reply.raw.once('close', () => {
        release();
        end?.();
      });
    }
    done();
  });
}

/** Not what only looks, or waits for an operation, or is about the engine itself: to be cut off does no harm to these. */
function isWork({ method, routeOptions: { url = '' } }: FastifyRequest): boolean {
  return method === 'GET' ? readStreams.has(url) : !url.startsWith(paths['engine.info'][1]);
}

const errorAnswer = (error: BerthError): object => ({ error: error.toBody() });

/** What is no HTTP, or has too long headers, never becomes a request. */
function refuseMalformed(error: Error & { code?: string }, socket: Socket): void {
  if (error.code === 'ECONNRESET' || !socket.writable) {
    return;
  }
  const isLong = error.code === 'HPE_HEADER_OVERFLOW';
  const refusal = new BerthError(
    'bad_request',
    isLong ? 'The address and headers of the request are too long.' : 'The request is not valid HTTP.',
  );
  const body = JSON.stringify(errorAnswer(refusal));
  const head = [
    'HTTP/1.1 400 Bad Request',
    'Content-Type: application/json',
    `Content-Length: ${Buffer.byteLength(body)}`,
    'Connection: close',
  ];
  socket.end(`${head.join('\r\n')}\r\n\r\n${body}`);
}

function isClientMistake(error: unknown): error is Error & { statusCode: number } {
  return (
    error instanceof Error &&
    'statusCode' in error &&
    typeof error.statusCode === 'number' &&
    error.statusCode >= 400 &&
    error.statusCode < 500
  );
}

function mistake({ statusCode, message }: Error & { statusCode?: number }, url?: string): BerthError {
  return statusCode === 415
    ? otherContent(url)
    : new BerthError(statusCode === 413 ? 'too_large' : 'bad_request', message);
}

/** Of a body whose type is none that the route takes, or that has none, as `curl -T` sends it. */
function otherContent(url: string | undefined): BerthError {
  const isFile = url === streamPaths.fileContent;
  const [type, option] = isFile ? ['application/octet-stream', '-T FILE'] : ['application/json', "-d '{…}'"];
  const what = isFile ? 'The content of a file' : 'The body of a request';
  return new BerthError('bad_request', `${what} is taken as ${type} only.`, {
    field: 'content-type',
    hint: `Send the header \`Content-Type: ${type}\`, for example: curl -H 'Content-Type: ${type}' ${option}`,
  });
}

function setErrors(server: FastifyInstance, { log }: Services): void {
  server.setErrorHandler((thrown, request, reply) => {
    const isMistake = !(thrown instanceof BerthError) && isClientMistake(thrown);
    const error = isMistake ? mistake(thrown, request.routeOptions.url) : asBerthError(thrown);
    if (error.code === 'internal') {
      log.error({ err: thrown, method: request.method, url: request.routeOptions.url }, 'request failed');
    }
    void reply.status(error.status).send(errorAnswer(error));
  });
  server.setNotFoundHandler((request, reply) => {
    const error = new BerthError(
      'not_found',
      `There is no ${request.method} ${request.url.split('?')[0] ?? ''}.`,
      {
        hint: `The API is described at ${streamPaths.openapi}.`,
      },
    );
    void reply.status(error.status).send(errorAnswer(error));
  });
}
