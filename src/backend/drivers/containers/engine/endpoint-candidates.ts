/** Where a Docker or Podman engine may listen, in the order in which the docker command itself would look. */
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { HostEnvironment } from '../../../machine/host-environment';

export interface TlsChoice {
  /** With ca.pem, cert.pem and key.pem. */
  folder: string;
  /** Whether the engine must be the one of its certificate; what is said is encrypted in any case. */
  isVerified: boolean;
}

export interface Candidate {
  /** `unix:///path`, `npipe:////./pipe/name`, `tcp://host:port`, `ssh://user@host`. */
  host: string;
  /** Where it was named: for messages. */
  origin: string;
  tls?: TlsChoice;
}

/** Candidates, best first. One that the user named stands alone: another engine would be a surprise. */
export async function findCandidates(
  setting: string | undefined,
  environment: HostEnvironment,
): Promise<Candidate[]> {
  const { env } = environment;
  const named = (host: string, origin: string): Candidate[] => [withTls({ host, origin }, environment)];
  if (setting !== undefined && setting !== '') {
    return named(setting, 'the setting dockerHost');
  }
  if (env.DOCKER_HOST !== undefined && env.DOCKER_HOST !== '') {
    return named(env.DOCKER_HOST, 'DOCKER_HOST');
  }
  const context = await currentContext(environment);
  const hosts = environment.platform === 'win32' ? windowsPipes : unixSockets(environment);
  const sockets = hosts.map((host) => ({ host, origin: 'the usual places' }));
  return context === undefined ? sockets : [context, ...sockets.filter(({ host }) => host !== context.host)];
}

/** With the certificates of DOCKER_CERT_PATH, or, as docker has it, of the folder of its settings. */
function withTls(candidate: Candidate, { env, home }: HostEnvironment): Candidate {
  const isSet = (value: string | undefined): boolean => value !== undefined && value !== '';
  const isVerified = isSet(env.DOCKER_TLS_VERIFY);
  const folder = [env.DOCKER_CERT_PATH, env.DOCKER_CONFIG].find(isSet) ?? join(home, '.docker');
  return (isVerified || isSet(env.DOCKER_TLS)) && candidate.host.startsWith('tcp:')
    ? { ...candidate, tls: { folder, isVerified } }
    : candidate;
}

/** The context in use: DOCKER_CONTEXT, else `currentContext` of the client's settings. */
async function currentContext({ env, home }: HostEnvironment): Promise<Candidate | undefined> {
  const config = env.DOCKER_CONFIG ?? join(home, '.docker');
  const name = env.DOCKER_CONTEXT ?? textAt(await readJson(join(config, 'config.json')), 'currentContext');
  if (name === undefined || name === '' || name === 'default') {
    return undefined;
  }
  // The client names a context's folder by the SHA-256 of its name.
  const folder = createHash('sha256').update(name).digest('hex');
  const meta = await readJson(join(config, 'contexts', 'meta', folder, 'meta.json'));
  const host = textAt(meta, 'Endpoints', 'docker', 'Host');
  if (host === undefined) {
    return undefined;
  }
  const origin = `the docker context "${name}"`;
  const tls = join(config, 'contexts', 'tls', folder, 'docker');
  const isVerified = valueAt(meta, 'Endpoints', 'docker', 'SkipTLSVerify') !== true;
  const hasTls = host.startsWith('tcp:') && (!isVerified || (await isReadable(join(tls, 'ca.pem'))));
  return { host, origin, ...(hasTls && { tls: { folder: tls, isVerified } }) };
}

function unixSockets({ env, home, uid }: HostEnvironment): string[] {
  const runtime = env.XDG_RUNTIME_DIR ?? `/run/user/${uid}`;
  return [
    '/var/run/docker.sock',
    join(runtime, 'docker.sock'),
    join(home, '.docker/run/docker.sock'),
    join(home, '.docker/desktop/docker.sock'),
    join(home, '.orbstack/run/docker.sock'),
    join(home, '.colima/default/docker.sock'),
    join(home, '.colima/docker.sock'),
    join(home, '.config/colima/default/docker.sock'),
    join(home, '.rd/docker.sock'),
    join(home, '.lima/docker/sock/docker.sock'),
    join(home, '.lima/default/sock/docker.sock'),
    join(runtime, 'podman/podman.sock'),
    '/run/podman/podman.sock',
    join(home, '.local/share/containers/podman/machine/podman.sock'),
  ].map((path) => `unix://${path}`);
}

const windowsPipes = ['npipe:////./pipe/docker_engine', 'npipe:////./pipe/podman-machine-default'];

function textAt(value: unknown, ...path: string[]): string | undefined {
  const found = valueAt(value, ...path);
  return typeof found === 'string' ? found : undefined;
}

function valueAt(value: unknown, ...path: string[]): unknown {
  let current = value;
  for (const key of path) {
    if (typeof current !== 'object' || current === null) {
      return undefined;
    }
    current = (current as Record<string, unknown>)[key];
  }
  return current;
}

async function readJson(path: string): Promise<unknown> {
  try {
    return JSON.parse(await readFile(path, 'utf8'));
  } catch {
    return undefined;
  }
}

async function isReadable(path: string): Promise<boolean> {
  return readFile(path).then(
    () => true,
    () => false,
  );
}
