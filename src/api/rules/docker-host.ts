/** Addresses of container engines, as the setting `dockerHost`, `DOCKER_HOST` and docker contexts have them. */
import { BerthError } from '../errors';
import { isSshHost, isSshUser } from './clone-address';
import { redactAddresses } from './redact-addresses';
import { hasParent } from './volume-path';

/** A machine that the user's own OpenSSH reaches, with the engine on it. */
export interface SshTarget {
  user?: string;
  /** A name of DNS or of the user's ssh configuration; an address of IPv6 without brackets. */
  host: string;
  port?: number;
  /** Of the engine on that machine, where it is not the usual one. */
  socketPath?: string;
}

export type DockerTarget = { socketPath: string } | { host: string; port: number } | { ssh: SshTarget };

const schemes =
  'Use unix:///path/to/docker.sock, tcp://host:port, ssh://user@host or npipe:////./pipe/docker_engine.';
/** The shell of the other machine reads it: nothing in it means anything there. */
const remotePath = /^(?:\/[A-Za-z0-9_.,:@+-]+)+$/;
const maxPort = 65_535;
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
    const ssh = sshTarget(rest);
    if (ssh === undefined) {
      throw new BerthError('bad_request', `${shown} is not the address of a machine for ssh.`, {
        hint: 'Use ssh://user@host, ssh://user@host:port, or a name of your ssh configuration: ssh://name. Without a password: ssh uses your keys.',
        field: 'dockerHost',
      });
    }
    return { ssh };
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

/** Of `[user@]host[:port][/path]`. */
function sshTarget(rest: string): SshTarget | undefined {
  const [, user, host = '', port, path = ''] =
    /^(?:([^@/]*)@)?(\[[^\]/]+\]|[^:/]+)(?::(\d{1,5}))?(\/.*)?$/.exec(rest) ?? [];
  const isUser = user === undefined || isSshUser(user);
  const isPort = port === undefined || (Number(port) > 0 && Number(port) <= maxPort);
  const hasPath = path !== '' && path !== '/';
  if (!isSshHost(host) || !isUser || !isPort || (hasPath && !isRemotePath(path))) {
    return undefined;
  }
  return {
    ...(user !== undefined && { user }),
    host: host.replace(/^\[(.*)\]$/, '$1'),
    ...(port !== undefined && { port: Number(port) }),
    ...(hasPath && { socketPath: path }),
  };
}

function isRemotePath(path: string): boolean {
  return remotePath.test(path) && !hasParent(path);
}
