/** Addresses of container engines, as the setting `dockerHost`, `DOCKER_HOST` and docker contexts have them. */
import { BerthError } from './errors';

export type DockerTarget = { socketPath: string } | { host: string; port: number };

const schemes = 'Use unix:///path/to/docker.sock, tcp://host:port or npipe:////./pipe/docker_engine.';
const defaultPort = '2375';

/** How to reach it with Node's http; throws for what is no address, and for kinds that we can't speak. */
export function parseDockerHost(host: string): DockerTarget {
  const [, scheme, rest = ''] = /^([a-z]+):\/\/(\P{Cc}+)$/u.exec(host) ?? [];
  if (scheme === 'unix' && rest.startsWith('/')) {
    return { socketPath: rest };
  }
  if (scheme === 'npipe' && /^[/\\]{2}/.test(rest)) {
    return { socketPath: rest };
  }
  if (scheme === 'ssh') {
    throw new BerthError('not_supported', `Engines behind SSH (${host}) are not supported.`, {
      hint: 'Forward its socket: `ssh -N -L /tmp/docker.sock:/var/run/docker.sock HOST`, and set dockerHost to unix:///tmp/docker.sock.',
      field: 'dockerHost',
    });
  }
  const url = scheme !== undefined && URL.canParse(host) ? new URL(host) : undefined;
  if (url === undefined || !['tcp:', 'http:', 'https:'].includes(url.protocol) || url.hostname === '') {
    throw new BerthError(
      'bad_request',
      `${JSON.stringify(host.slice(0, 200))} is not the address of a container engine.`,
      { hint: schemes, field: 'dockerHost' },
    );
  }
  return { host: url.hostname, port: Number(url.port === '' ? defaultPort : url.port) };
}
