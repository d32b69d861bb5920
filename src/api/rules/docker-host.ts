/** Addresses of container engines, as the setting `dockerHost`, `DOCKER_HOST` and docker contexts have them. */
import { BerthError } from '../errors';
import { redactAddresses } from './redact-addresses';

export type DockerTarget = { socketPath: string } | { host: string; port: number };

const schemes = 'Use unix:///path/to/docker.sock, tcp://host:port or npipe:////./pipe/docker_engine.';
const defaultPort = '2375';
const defaultTlsPort = '2376';

/** How to reach it with Node's http, or https for one with certificates; throws for what is no address, and for kinds that we can't speak. */
export function parseDockerHost(host: string, hasTls = false): DockerTarget {
  const [, scheme, rest = ''] = /^([a-z]+):\/\/(\P{Cc}+)$/u.exec(host) ?? [];
  if (scheme === 'unix' && rest.startsWith('/')) {
    return { socketPath: rest };
  }
  if (scheme === 'npipe' && /^[/\\]{2}/.test(rest)) {
    return { socketPath: rest };
  }
  const shown = JSON.stringify(redactAddresses(host.slice(0, 200)));
  if (scheme === 'ssh') {
    throw new BerthError('not_supported', `Engines behind SSH (${shown}) are not supported.`, {
      hint: 'Forward its socket: `ssh -N -L /tmp/docker.sock:/var/run/docker.sock HOST`, and set dockerHost to unix:///tmp/docker.sock.',
      field: 'dockerHost',
    });
  }
  if (scheme === 'https') {
    throw new BerthError(
      'not_supported',
      `${shown} does not say by which certificates the engine is known.`,
      {
        hint: 'Use tcp://host:port with DOCKER_TLS_VERIFY=1 and DOCKER_CERT_PATH, or a docker context that has them.',
        field: 'dockerHost',
      },
    );
  }
  const url = scheme !== undefined && URL.canParse(host) ? new URL(host) : undefined;
  if (url === undefined || !isBare(url)) {
    throw new BerthError('bad_request', `${shown} is not the address of a container engine.`, {
      hint: schemes,
      field: 'dockerHost',
    });
  }
  const port = url.port === '' ? (hasTls ? defaultTlsPort : defaultPort) : url.port;
  // An address of IPv6 has brackets in a URL, and nowhere else.
  return { host: url.hostname.replace(/^\[(.*)\]$/, '$1'), port: Number(port) };
}

/** Host and port, and nothing that would be kept and shown without a use: a password, a path, a query. */
function isBare({ protocol, hostname, port, username, password, pathname, search, hash }: URL): boolean {
  const hasMore = [username, password, search, hash].some((part) => part !== '');
  const isPlain = !hasMore && ['', '/'].includes(pathname);
  return ['tcp:', 'http:'].includes(protocol) && hostname !== '' && port !== '0' && isPlain;
}
