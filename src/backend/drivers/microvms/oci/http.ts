/** Requests to registries: streams both ways, redirects followed without credentials, every wait ends. */
import { request as plainRequest, type IncomingMessage, type OutgoingHttpHeaders } from 'node:http';
import { request as secureRequest } from 'node:https';
import type { Readable } from 'node:stream';
import { BerthError } from '../../../../api/errors';

/** Without a byte. */
const silentMs = 60_000;
const mostRedirects = 5;
const mostBytes = 4 * 1024 * 1024;

export interface Ask {
  method: 'GET' | 'HEAD' | 'POST' | 'PUT';
  headers?: OutgoingHttpHeaders;
  body?: Buffer | Readable;
  signal: AbortSignal;
}

export interface Answer {
  status: number;
  headers: IncomingMessage['headers'];
  /** To be read to its end, or destroyed: what nobody wants may have no end. */
  body: IncomingMessage;
}

/** Redirects of what has no body are followed; credentials go to the first host only. */
export async function ask(url: URL, options: Ask): Promise<Answer> {
  let at = url;
  let { headers } = options;
  for (let redirects = 0; redirects <= mostRedirects; redirects++) {
    const answer = await once(at, { ...options, ...(headers !== undefined && { headers }) });
    const { location } = answer.headers;
    const isRedirect = [301, 302, 303, 307, 308].includes(answer.status) && location !== undefined;
    if (!isRedirect || options.body !== undefined) {
      return answer;
    }
    answer.body.destroy();
    const next = placeOf(location, at);
    if (next.protocol !== 'https:' && next.protocol !== at.protocol) {
      throw new BerthError('forbidden', `${at.host} leads to ${next.host} without encryption.`);
    }
    if (next.host !== at.host) {
      const { authorization: _authorization, ...others } = headers ?? {};
      headers = others;
    }
    at = next;
  }
  throw new BerthError('runtime_unavailable', `${url.host} leads from one address to the next without end.`);
}

function once(url: URL, { method, headers, body, signal }: Ask): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const fail = (error: unknown): void => {
      reject(signal.aborted ? new BerthError('cancelled', 'Cancelled.') : unreachable(url, error));
    };
    const send = url.protocol === 'https:' ? secureRequest : plainRequest;
    const request = send(url, { method, headers, signal, timeout: silentMs, agent: false });
    request.on('timeout', () => request.destroy(new Error(`nothing came for ${silentMs / 1000} s`)));
    request.on('error', fail);
    request.on('response', (message) => {
      resolve({ status: message.statusCode ?? 0, headers: message.headers, body: message });
    });
    if (body === undefined || Buffer.isBuffer(body)) {
      request.end(body);
    } else {
      body.on('error', (error) => request.destroy(error));
      request.on('close', () => body.destroy());
      body.pipe(request);
    }
  });
}

/** An address that another host has named. */
export function placeOf(text: string, base: URL): URL {
  if (!URL.canParse(text, base.href)) {
    throw new BerthError('runtime_unavailable', `The registry ${base.host} leads to what is no address.`);
  }
  return new URL(text, base);
}

/** A small answer as a whole. */
export async function bytesOf({ body }: Answer): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of body) {
    size += (chunk as Buffer).length;
    if (size > mostBytes) {
      body.destroy();
      throw new BerthError('too_large', 'A document of the registry is too large for what it is.');
    }
    chunks.push(chunk as Buffer);
  }
  return Buffer.concat(chunks);
}

function unreachable({ host }: URL, cause: unknown): BerthError {
  const said = cause instanceof Error ? cause.message : String(cause);
  return cause instanceof BerthError
    ? cause
    : new BerthError('runtime_unavailable', `The registry ${host} can't be reached: ${said}.`, {
        hint: 'Look at the network, then try again.',
        cause,
      });
}
