/** Requests to registries: streams both ways, redirects followed without credentials, by a proxy where one is named, every wait ends. */
import {
  request as plainRequest,
  type ClientRequest,
  type IncomingMessage,
  type OutgoingHttpHeaders,
} from 'node:http';
import { request as secureRequest } from 'node:https';
import { PassThrough, type Readable } from 'node:stream';
import { BerthError } from '../../../api/errors';
import { mebibyte } from '../../../api/rules/sizes';
import { agentFor, proxyFor, type Proxy } from './proxy';

/** Without a byte. */
const silentMs = 60_000;
const maxRedirects = 5;
const maxBytes = 4 * mebibyte;

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
  body: Readable;
}

/**
 * Redirects of what has no body are followed; credentials go to the first host only. Throws `forbidden` for a redirect
 * to where nothing is encrypted, `runtime_unavailable` for one without end.
 */
export async function ask(url: URL, options: Ask): Promise<Answer> {
  let at = url;
  let { headers } = options;
  for (let redirects = 0; redirects <= maxRedirects; redirects++) {
    const answer = await once(at, { ...options, ...(headers !== undefined && { headers }) });
    const { location } = answer.headers;
    const isRedirect = [301, 302, 303, 307, 308].includes(answer.status) && location !== undefined;
    if (!isRedirect || options.body !== undefined) {
      return answer;
    }
    answer.body.destroy();
    const next = placeOf(location, at);
    if (next.protocol !== 'https:' && next.protocol !== at.protocol) {
      throw new BerthError('forbidden', `${at.host} redirects to ${next.host} without encryption.`);
    }
    if (next.host !== at.host) {
      const { authorization: _authorization, ...others } = headers ?? {};
      headers = others;
    }
    at = next;
  }
  throw new BerthError('runtime_unavailable', `${url.host} redirects without end.`);
}

function once(url: URL, { method, headers, body, signal }: Ask): Promise<Answer> {
  if (signal.aborted) {
    return Promise.reject(new BerthError('cancelled', 'Cancelled.'));
  }
  const proxy = proxyFor(url);
  return new Promise((resolve, reject) => {
    const silence = new AbortController();
    const ending = AbortSignal.any([signal, silence.signal]);
    const agent = proxy === undefined ? false : agentFor(proxy, url, ending, silentMs);
    const send = url.protocol === 'https:' ? secureRequest : plainRequest;
    const request = send(url, { method, headers, timeout: silentMs, agent });
    const fail = (error: unknown): void => {
      reject(signal.aborted ? new BerthError('cancelled', 'Cancelled.') : unreachable(url, proxy, error));
    };
    endWith(request, ending, fail);
    const beSilent = (): void => {
      silence.abort(new Error(`nothing came for ${silentMs / 1000} s`));
    };
    request.on('timeout', beSilent);
    // The request's own timeout begins when it has a connection, which a silent proxy does not give it.
    const timer = setTimeout(beSilent, silentMs);
    request.on('socket', () => {
      clearTimeout(timer);
    });
    request.on('error', (error) => {
      clearTimeout(timer);
      fail(error);
    });
    request.on('proxyConnect', ({ statusCode = 200 }: { statusCode?: number }) => {
      if (statusCode !== 200) {
        fail(refusedBy(proxy, url, statusCode));
      }
    });
    request.on('response', (message) => {
      const status = message.statusCode ?? 0;
      if (proxy !== undefined && status === 407) {
        message.destroy();
        fail(refusedBy(proxy, url, status));
        return;
      }
      const body = namingHost(message, (error) =>
        signal.aborted ? new BerthError('cancelled', 'Cancelled.') : brokeOff(url, error),
      );
      resolve({ status, headers: message.headers, body });
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

/** The same, whose errors say whose answer it was. */
function namingHost(message: IncomingMessage, named: (error: unknown) => BerthError): Readable {
  const body = new PassThrough();
  // Of what nobody reads any more.
  body.on('error', () => undefined);
  message.on('error', (error) => body.destroy(named(error)));
  body.on('close', () => message.destroy());
  return message.pipe(body);
}

/** An address that another host has named. Throws `runtime_unavailable` for what is no address. */
export function placeOf(text: string, base: URL): URL {
  if (!URL.canParse(text, base.href)) {
    throw new BerthError('runtime_unavailable', `The registry ${base.host} redirects to an invalid address.`);
  }
  return new URL(text, base);
}

/** Until the answer is read. A request without a connection yet does not tell that it was destroyed: `fail` does. */
function endWith(request: ClientRequest, signal: AbortSignal, fail: (error: unknown) => void): void {
  const end = (): void => {
    const reason: unknown = signal.reason;
    request.destroy(reason instanceof Error ? reason : undefined);
    fail(reason);
  };
  signal.addEventListener('abort', end);
  request.on('close', () => {
    signal.removeEventListener('abort', end);
  });
}

/** A small answer as a whole. Throws `too_large`. */
export async function bytesOf({ body }: Answer): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of body) {
    size += (chunk as Buffer).length;
    if (size > maxBytes) {
      body.destroy();
      throw new BerthError('too_large', 'The registry sent a document that is too large.');
    }
    chunks.push(chunk as Buffer);
  }
  return Buffer.concat(chunks);
}

function unreachable({ host }: URL, proxy: Proxy | undefined, cause: unknown): BerthError {
  if (cause instanceof BerthError) {
    return cause;
  }
  const reason = cause instanceof Error ? cause.message : String(cause);
  const way = proxy === undefined ? '' : ` through the proxy ${proxy.name} (${proxy.variable})`;
  const why = isUntrusted(cause) ? ': its certificate is not trusted' : '';
  return new BerthError('runtime_unavailable', `The registry ${host} can't be reached${way}${why}.`, {
    detail: reason,
    hint: isUntrusted(cause)
      ? 'Set NODE_EXTRA_CA_CERTS to a file with the certificates that this network uses, restart the engine (`berth down`), then try again.'
      : `Look at the network${proxy === undefined ? '' : ` and at ${proxy.variable}`}, then try again.`,
    cause,
  });
}

function brokeOff({ host }: URL, cause: unknown): BerthError {
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new BerthError('runtime_unavailable', `The registry ${host} cut off its answer.`, {
    ...(reason !== 'aborted' && { detail: reason }),
    hint: 'Try again: the layers that are complete are kept.',
    cause,
  });
}

/** As of a proxy that looks into what passes. */
function isUntrusted(error: unknown): boolean {
  return error instanceof Error && 'code' in error && /SELF_SIGNED|UNABLE_TO/.test(String(error.code));
}

function refusedBy(proxy: Proxy | undefined, { host }: URL, status: number): BerthError {
  const { name = '', variable = 'HTTPS_PROXY' } = proxy ?? {};
  const what = `The proxy ${name} (${variable}) did not let the request through to the registry ${host}: it answered ${status}`;
  return status === 407
    ? new BerthError('forbidden', `${what}, it wants a user and a password.`, {
        hint: `Set ${variable} to http://USER:PASSWORD@${proxy?.url.host ?? 'proxy.example:3128'} where the engine is started, restart it (\`berth down\`), then try again.`,
      })
    : new BerthError('runtime_unavailable', `${what}.`, {
        hint: `Look at the proxy, or name ${host} in NO_PROXY, restart the engine (\`berth down\`), then try again.`,
      });
}
