/** From the address of an engine to a client of it: by a socket, TCP, TLS or the user's OpenSSH. */
import { readFile } from 'node:fs/promises';
import { request as httpRequest, type Agent } from 'node:http';
import { Agent as TlsAgent, request as httpsRequest } from 'node:https';
import { join } from 'node:path';
import type Dockerode from 'dockerode';
import { parseDockerHost, type DockerTarget } from '../../../../api/rules/docker-host';
import { localTarget } from '../../../../api/rules/runtimes';
import { readConfinement, type Confinement } from './confinement';
import { dockerClient, withoutTls } from './docker-client';
import { NoAnswer } from './docker-errors';
import type { Candidate, TlsChoice } from './endpoint-candidates';
import { machineOf } from './reach';
import { CommandMissing } from './ssh-failure';
import { SshAgent } from './ssh-transport';

const pingTimeoutMs = 2_000;
/** On another machine: ssh and its proxies take their time. */
const farPingTimeoutMs = 25_000;

export interface Connection {
  docker: Dockerode;
  host: string;
  /** E.g. `Docker 20.10.24`. */
  product: string;
  isPodman: boolean;
  /** Asked for with the first need of it. */
  confinement: () => Promise<Confinement>;
  /** What tells it from others of its machine, asked for with the first need of it. */
  id: () => Promise<string | undefined>;
  /** The machine that it is on: `local`, or its name. What another one publishes on its loopback is not on ours. */
  target: string;
  /** Ends what is kept open for the next call, and with `all` what is under way. */
  close: (what: 'idle' | 'all') => void;
}

interface Tls {
  ca?: Buffer;
  cert?: Buffer;
  key?: Buffer;
}

/** How Node's http reaches it. */
interface Transport {
  address: { socketPath: string } | { host: string; port: number };
  tls?: Tls;
  agent?: Agent;
}

/** `folder`: a private one, for sockets of ssh. Throws what the address is wrong in, and what kept the engine from answering. */
export async function openConnection(candidate: Candidate, folder?: string): Promise<Connection> {
  const target = parseDockerHost(candidate.host, candidate.tls !== undefined);
  const transport = await transportTo(target, candidate.tls, folder);
  const close = (what: 'idle' | 'all'): void => {
    const { agent } = transport;
    if (what === 'all' && agent instanceof SshAgent) {
      agent.endAll();
    } else {
      agent?.destroy();
    }
  };
  try {
    const machine = await machineOf(target);
    const server = await firstPing(transport, machine === localTarget ? pingTimeoutMs : farPingTimeoutMs);
    const docker = clientOf(transport);
    const product = productOf(server);
    const confinement = kept(() => readConfinement(docker, product.isPodman));
    const id = kept(() => idOf(docker, product.isPodman));
    return { docker, host: candidate.host, ...product, confinement, id, target: machine, close };
  } catch (error) {
    close('all');
    throw error;
  }
}

async function transportTo(
  target: DockerTarget,
  choice: TlsChoice | undefined,
  folder: string | undefined,
): Promise<Transport> {
  if ('ssh' in target) {
    // No name of DNS: the agent alone knows where its connections lead.
    return { address: { host: 'docker.invalid', port: 80 }, agent: new SshAgent(target.ssh, 'ssh', folder) };
  }
  if (choice === undefined) {
    return { address: target };
  }
  const tls = await readTls(choice);
  return choice.isVerified
    ? { address: target, tls }
    : { address: target, tls, agent: new TlsAgent({ keepAlive: true, rejectUnauthorized: false }) };
}

function clientOf({ address, tls, agent }: Transport): Dockerode {
  // Every key is named: the library would fill the missing ones from the environment.
  return dockerClient({
    socketPath: undefined,
    host: undefined,
    port: undefined,
    ca: undefined,
    cert: undefined,
    key: undefined,
    ...address,
    ...tls,
    ...(agent !== undefined && { agent }),
    protocol: tls === undefined ? 'http' : 'https',
  });
}

/**
 * Its own id, and the folder of its data: until Docker 23 all daemons of a machine have one id (/etc/docker/key.json), and
 * Podman answers another one each time.
 */
async function idOf(docker: Dockerode, isPodman: boolean): Promise<string | undefined> {
  const info = (await docker.info()) as { ID?: unknown; DockerRootDir?: unknown };
  const parts = isPodman ? [info.DockerRootDir] : [info.ID, info.DockerRootDir];
  const known = parts.filter((part) => typeof part === 'string' && part !== '');
  return known.length === parts.length ? known.join(' ') : undefined;
}

/** Read once; again after a failure. */
function kept<T>(read: () => Promise<T>): () => Promise<T> {
  let value: Promise<T> | undefined;
  return () => {
    value ??= read().catch((error: unknown) => {
      value = undefined;
      throw error;
    });
    return value;
  };
}

/** Reads the `Server` header: `Docker/20.10.24 (linux)` or `Libpod/4.3.1 (linux)`. */
export function productOf(server: string): { product: string; isPodman: boolean } {
  const [, name, version] = /^([A-Za-z]+)\/([^\s]+)/.exec(server) ?? [];
  const isPodman = name?.toLowerCase() === 'libpod';
  const product = isPodman ? 'Podman' : 'Docker';
  return {
    product: version === undefined ? product : `${product} ${version.split('+')[0] ?? version}`,
    isPodman,
  };
}

/** By ssh with Podman's command where the machine has no Docker. */
async function firstPing(transport: Transport, timeoutMs: number): Promise<string> {
  try {
    return await ping(transport, timeoutMs);
  } catch (error) {
    const { agent } = transport;
    if (!(agent instanceof SshAgent && error instanceof CommandMissing)) {
      throw error;
    }
    agent.command = 'podman';
    return ping(transport, timeoutMs);
  }
}

function ping({ address, tls, agent }: Transport, timeoutMs: number): Promise<string> {
  const request = tls === undefined ? httpRequest : httpsRequest;
  return new Promise((resolve, reject) => {
    const options = { ...address, ...(tls ?? withoutTls), path: '/_ping', agent: agent ?? false };
    const call = request(options, (response) => {
      clearTimeout(late);
      response.resume();
      if (response.statusCode === 200) {
        resolve([response.headers.server ?? ''].flat().join(' '));
      } else {
        reject(new Error(`answered ${response.statusCode ?? 0} to /_ping`));
      }
    });
    const late = setTimeout(() => call.destroy(new NoAnswer(`no answer within ${timeoutMs} ms`)), timeoutMs);
    call.on('error', (error) => {
      clearTimeout(late);
      reject(error);
    });
    call.end();
  });
}

/** Without verification, as docker has it: those files that are there. */
async function readTls({ folder, isVerified }: TlsChoice): Promise<Tls> {
  const read = async (file: string): Promise<Buffer | undefined> => {
    try {
      return await readFile(join(folder, file));
    } catch (error) {
      if (isVerified) {
        throw error;
      }
      return undefined;
    }
  };
  const [ca, cert, key] = await Promise.all([read('ca.pem'), read('cert.pem'), read('key.pem')]);
  const hasKey = cert !== undefined && key !== undefined;
  return { ...(ca !== undefined && { ca }), ...(hasKey && { cert, key }) };
}
