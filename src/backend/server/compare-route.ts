/** The route that compares two trees of files. */
import type { FastifyInstance } from 'fastify';
import { asBerthError } from '../../api/errors';
import type { CompareEvent } from '../../api/files/compare';
import { streams, type StreamParams, type StreamQuery } from '../../api/streams';
import { Comparison } from '../services/volumes/compare/compare';
import { goneSignal } from './gone-signal';
import type { Services } from './services';
import { openEventStream } from './sse';
import { optionsOf } from './stream-options';

interface Input {
  Params: StreamParams<'files.compare'>;
  Querystring: StreamQuery<'files.compare'>;
}

/** Registers it. What is wrong with one of the two names is an ordinary answer. */
export function registerCompare(
  server: FastifyInstance,
  { volumes, access, lifetime }: Pick<Services, 'volumes' | 'access' | 'lifetime'>,
): void {
  server.get<Input>(streams['files.compare'].path, optionsOf('files.compare'), async (request, reply) => {
    const { volume } = request.params;
    const { path = '/', with: other, withPath = '/', full = false, gitignore = false } = request.query;
    const compared = {
      before: { files: await volumes.files(volume), path },
      after: { files: await volumes.files(other), path: withPath },
      gitignore,
      isOneVolume: !full && volumes.lineageOf(volume) === volumes.lineageOf(other),
    };
    const signal = goneSignal(reply);
    reply.hijack();
    const writer = openEventStream(reply.raw);
    const report = (event: CompareEvent): Promise<void> => {
      writer.send(event);
      return writer.ready();
    };
    const released = [lifetime.hold(), access.holdVolume(volume), access.holdVolume(other)];
    try {
      await new Comparison(compared, report, signal).run();
    } catch (error) {
      await report({ error: asBerthError(error).toBody() });
    } finally {
      writer.end();
      released.forEach((release) => release());
    }
  });
}
