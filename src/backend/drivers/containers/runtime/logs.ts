/** The log of a container: what its init, sshd and supervised daemons said. */
import type { Readable } from 'node:stream';
import { PassThrough } from 'node:stream';
import { BerthError } from '../../../../api/errors';
import type { LogOptions } from '../../driver';
import { demultiplex } from '../engine/demux';
import { isStatus } from '../engine/docker-errors';
import type { Endpoint } from '../engine/endpoint';
import { toReadable } from '../engine/streams';

/** Text, both streams in the order of arrival. Aborting ends it like an end of file. */
export async function readLogs(endpoint: Endpoint, name: string, options: LogOptions): Promise<Readable> {
  const { tail, follow, timestamps, signal } = options;
  const { source, hasTerminal } = await endpoint.call(`read the log of ${name}`, async (docker) => {
    const container = docker.getContainer(name);
    try {
      const { Config } = await container.inspect();
      // A stream in either case: the client library buffers what is not followed.
      const request = { stdout: true, stderr: true, tail, timestamps };
      const answer = follow
        ? await container.logs({ ...request, follow: true })
        : await container.logs({ ...request, follow: false });
      return { source: answer, hasTerminal: Config.Tty };
    } catch (error) {
      throw isStatus(error, 404) ? new BerthError('not_found', `There is no container ${name}.`) : error;
    }
  });
  const stream = Buffer.isBuffer(source) ? bufferStream(source) : toReadable(source);
  const end = (): void => void stream.destroy();
  signal.addEventListener('abort', end, { once: true });
  if (signal.aborted) {
    end();
  }
  const text = hasTerminal ? stream : merge(stream, signal);
  text.once('close', () => {
    signal.removeEventListener('abort', end);
    stream.destroy();
  });
  return text;
}

function bufferStream(content: Buffer): Readable {
  const stream = new PassThrough();
  stream.end(content);
  return stream;
}

function merge(source: Readable, signal: AbortSignal): Readable {
  const text = new PassThrough();
  const { stdout, stderr, done } = demultiplex(source);
  for (const part of [stdout, stderr]) {
    part.on('error', () => undefined).pipe(text, { end: false });
  }
  done.then(
    () => endAfter([stdout, stderr], text),
    (error: unknown) =>
      signal.aborted ? text.end() : text.destroy(error instanceof Error ? error : undefined),
  );
  text.once('close', () => {
    stdout.destroy();
    stderr.destroy();
  });
  return text;
}

function endAfter(parts: readonly Readable[], text: PassThrough): void {
  let open = parts.length;
  for (const part of parts) {
    const ended = (): void => {
      open -= 1;
      if (open === 0) {
        text.end();
      }
    };
    if (part.readableEnded) {
      ended();
    } else {
      part.once('end', ended);
    }
  }
}
