/** Routes whose answer is a stream: events, logs, file contents, archives, file changes. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { BerthError, asBerthError } from '../../api/errors';
import type { FindEvent } from '../../api/files/find';
import { streams, type StreamId, type StreamParams, type StreamQuery } from '../../api/streams';
import { refuseSlowLists, Search } from '../services/volumes/find/find';
import { registerCompare } from './compare-route';
import { sendStream, withContent } from './content';
import { registerExport } from './export-routes';
import { goneSignal } from './gone-signal';
import type { Services } from './services';
import { openEventStream, type EventWriter } from './sse';
import { optionsOf } from './stream-options';

/** For clients to take the end of their event stream. */
const closeTimeoutMs = 1_000;

interface Input<Id extends StreamId> {
  Params: StreamParams<Id>;
  Querystring: StreamQuery<Id>;
}

/** Registers all of them. */
export function registerStreams(server: FastifyInstance, services: Services): void {
  registerEvents(server, services);
  registerFiles(server, services);
  registerWatch(server, services);
  registerFind(server, services);
  registerCompare(server, services);
  registerLogs(server, services);
  registerExport(server, services);
}

function registerEvents(server: FastifyInstance, { events, lifetime, visibility }: Services): void {
  const writers = new Set<EventWriter>();
  // An engine that was asked to end says so: a connection that breaks looks like a crash, which clients mend.
  server.addHook('preClose', async () => {
    const ended = [...writers].map((writer) => {
      writer.end();
      return writer.closed;
    });
    await Promise.race([Promise.all(ended), sleep(closeTimeoutMs, undefined, { ref: false })]);
  });
  server.get(streams.events.path, optionsOf('events'), (request, reply) => {
    const last = lastEventOf(request.headers['last-event-id']);
    reply.hijack();
    const writer = openEventStream(reply.raw);
    writers.add(writer);
    const release = lifetime.hold();
    const { principal } = request;
    const stop = events.subscribe((event) => {
      if (visibility.event(principal, event)) {
        writer.send(event, event.id);
      }
    }, last);
    void writer.closed.then(() => {
      writers.delete(writer);
      stop();
      release();
    });
  });
}

/** undefined: from now on. Throws for what no event has as its id: a client that sends it would miss what it waits for. */
function lastEventOf(header: string | string[] | undefined): number | undefined {
  if (header === undefined || header === '') {
    return undefined;
  }
  if (typeof header !== 'string' || !/^\d{1,16}$/.test(header) || !Number.isSafeInteger(Number(header))) {
    throw new BerthError('bad_request', 'The header Last-Event-ID is not the id of an event.', {
      field: 'last-event-id',
      hint: 'Send the number of the last event that came, or leave the header out.',
    });
  }
  return Number(header) === 0 ? undefined : Number(header);
}

function registerFiles(server: FastifyInstance, { volumes }: Services): void {
  server.get<Input<'files.read'>>(
    streams['files.read'].path,
    optionsOf('files.read'),
    async (request, reply) => {
      const { path, ...range } = request.query;
      const files = await volumes.files(request.params.volume);
      await sendStream(reply, await files.read(path, range, goneSignal(reply)), 'application/octet-stream');
    },
  );
  server.put<Input<'files.write'> & { Body: unknown }>(
    streams['files.write'].path,
    optionsOf('files.write'),
    async (request) => writeFile(request, volumes),
  );
  server.get<Input<'files.archive'>>(
    streams['files.archive'].path,
    optionsOf('files.archive'),
    async (request, reply) => {
      const files = await volumes.files(request.params.volume);
      await sendStream(reply, await files.getTar(request.query.path, goneSignal(reply)), 'application/x-tar');
    },
  );
}

async function writeFile(
  request: FastifyRequest<Input<'files.write'> & { Body: unknown }>,
  volumes: Services['volumes'],
) {
  const { volume } = request.params;
  const { path, create = true, overwrite = true, mode } = request.query;
  const options = { create, overwrite, ...(mode !== undefined && { mode }) };
  return withContent(request, async (content, signal) => {
    const files = await volumes.files(volume);
    return files.write(path, content, options, signal);
  });
}

function registerWatch(server: FastifyInstance, { volumes, access, lifetime }: Services): void {
  server.get<Input<'files.watch'>>(
    streams['files.watch'].path,
    optionsOf('files.watch'),
    async (request, reply) => {
      const { path = '/', recursive = true } = request.query;
      const files = await volumes.files(request.params.volume);
      const early: unknown[] = [];
      let send = (changes: unknown): void => void early.push(changes);
      const stop = await files.watch(path, { recursive }, (changes) => send(changes));
      reply.hijack();
      const writer = openEventStream(reply.raw);
      const release = lifetime.hold();
      const detach = access.holdVolume(request.params.volume);
      send = (changes) => writer.send(changes);
      early.forEach(send);
      void writer.closed.then(() => {
        stop();
        detach();
        release();
      });
    },
  );
}

function registerFind(server: FastifyInstance, { volumes, access, lifetime }: Services): void {
  server.get<Input<'files.find'>>(
    streams['files.find'].path,
    optionsOf('files.find'),
    async (request, reply) => {
      const { volume } = request.params;
      const files = await volumes.files(volume);
      refuseSlowLists(files);
      let send = (_event: FindEvent): void => undefined;
      const search = new Search(files, request.query, (event) => send(event), goneSignal(reply));
      reply.hijack();
      const writer = openEventStream(reply.raw);
      send = (event) => writer.send(event);
      const release = lifetime.hold();
      const detach = access.holdVolume(volume);
      try {
        await search.run();
      } catch (error) {
        writer.send({ error: asBerthError(error).toBody() } satisfies FindEvent);
      } finally {
        writer.end();
        detach();
        release();
      }
    },
  );
}

function registerLogs(server: FastifyInstance, { access }: Services): void {
  server.get<Input<'workspaces.logs'>>(
    streams['workspaces.logs'].path,
    optionsOf('workspaces.logs'),
    async (request, reply) => {
      const { tail = 1000, follow = false, timestamps = false } = request.query;
      const options = { tail, follow, timestamps, signal: goneSignal(reply) };
      const stream = await access.logs(request.params.name, options);
      await sendStream(reply, stream, 'text/plain; charset=utf-8');
    },
  );
}
