/** Finds a Docker or Podman engine that answers, wherever its maker puts the socket. */
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { request } from 'node:http';
import { homedir } from 'node:os';
import { join } from 'node:path';

const PING_TIMEOUT_MS = 1500;

/**
 * Asks an engine for `/_ping`.
 * @param {string} host `unix:///path`, `npipe:////./pipe/name` or `tcp://address:port` (without TLS)
 * @returns {Promise<string | undefined>} undefined when it answers OK, else what went wrong
 */
export function ping(host) {
  const target = requestTarget(host);
  if (!target) return Promise.resolve(`${host} is of a kind that the set-up scripts can't reach`);
  return new Promise((resolve) => {
    const call = request(
      { ...target, path: '/_ping', method: 'GET', timeout: PING_TIMEOUT_MS },
      (response) => {
        response.resume();
        resolve(
          response.statusCode === 200 ? undefined : `${host} answered ${response.statusCode} to /_ping`,
        );
      },
    );
    call.on('timeout', () => call.destroy(new Error(`no answer within ${PING_TIMEOUT_MS} ms`)));
    call.on('error', (error) => resolve(`${host}: ${error.message}`));
    call.end();
  });
}

/** @param {string} host */
function requestTarget(host) {
  if (host.startsWith('unix://')) return { socketPath: host.slice('unix://'.length) };
  if (host.startsWith('npipe://')) return { socketPath: host.slice('npipe://'.length).replaceAll('/', '\\') };
  if (!/^(tcp|http):\/\//.test(host)) return undefined;
  const url = new URL(host.replace(/^tcp:/, 'http:'));
  return { hostname: url.hostname, port: url.port || '2375' };
}

/**
 * The first engine that answers, in the order in which the docker command itself would look.
 * @returns {Promise<{host?: string, tried: string[]}>} `tried` has one line for each that didn't
 */
export async function findDocker() {
  const tried = [];
  for (const host of await candidates()) {
    const failure = await ping(host);
    if (!failure) return { host, tried };
    tried.push(failure);
  }
  return { tried };
}

/** @returns {Promise<string[]>} hosts to try, without repetition */
async function candidates() {
  if (process.env.DOCKER_HOST) return [process.env.DOCKER_HOST];
  const context = await contextHost();
  const sockets = process.platform === 'win32' ? windowsPipes() : unixSockets();
  return [...new Set([...(context ? [context] : []), ...sockets])];
}

/** The host of the docker context in use: DOCKER_CONTEXT, else `currentContext` of the client's settings. */
async function contextHost() {
  const config = process.env.DOCKER_CONFIG || join(homedir(), '.docker');
  const name = process.env.DOCKER_CONTEXT || (await readJson(join(config, 'config.json')))?.currentContext;
  if (!name || name === 'default') return undefined;
  // The client names a context's directory by the SHA-256 of its name.
  const directory = createHash('sha256').update(name).digest('hex');
  const meta = await readJson(join(config, 'contexts', 'meta', directory, 'meta.json'));
  return meta?.Endpoints?.docker?.Host;
}

function unixSockets() {
  const home = homedir();
  const runtime = process.env.XDG_RUNTIME_DIR || `/run/user/${process.getuid?.() ?? 0}`;
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

const windowsPipes = () => ['npipe:////./pipe/docker_engine', 'npipe:////./pipe/podman-machine-default'];

/** @param {string} path */
async function readJson(path) {
  try {
    return JSON.parse(await readFile(path, 'utf8'));
  } catch {
    return undefined;
  }
}
