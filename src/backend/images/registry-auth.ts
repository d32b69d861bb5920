/** Passwords of registries, as `docker login` left them: in the client's settings or a credential helper. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { HostEnvironment } from '../machine/host-environment';
import { runWell } from '../machine/run';

const helperTimeoutMs = 10_000;
const maxAnswerBytes = 64 * 1024;
/** What Docker Hub is called in the settings. */
const hub = 'https://index.docker.io/v1/';

export interface RegistryAuth {
  username?: string;
  password?: string;
  identitytoken?: string;
  serveraddress: string;
}

interface ClientSettings {
  auths?: Record<string, { auth?: string; identitytoken?: string } | undefined>;
  credHelpers?: Record<string, string | undefined>;
  credsStore?: string;
}

/** Undefined when nobody has logged in: the pull is anonymous then. Never throws. */
export async function registryAuth(
  registry: string | undefined,
  { env, home }: HostEnvironment,
): Promise<RegistryAuth | undefined> {
  const settings = await readSettings(join(env.DOCKER_CONFIG ?? join(home, '.docker'), 'config.json'));
  const names =
    registry === undefined
      ? [hub, 'docker.io']
      : [registry, `https://${registry}`, `https://${registry}/v1/`];
  for (const name of names) {
    const helper = settings.credHelpers?.[name] ?? settings.credsStore;
    const found =
      helper === undefined ? undefined : await askHelper(helper, name, env).catch(() => undefined);
    const auth = found ?? fromEntry(settings.auths?.[name], name);
    if (auth !== undefined) {
      return auth;
    }
  }
  return undefined;
}

async function readSettings(path: string): Promise<ClientSettings> {
  try {
    const value: unknown = JSON.parse(await readFile(path, 'utf8'));
    return typeof value === 'object' && value !== null ? value : {};
  } catch {
    return {};
  }
}

function fromEntry(
  entry: { auth?: string; identitytoken?: string } | undefined,
  serveraddress: string,
): RegistryAuth | undefined {
  if (entry?.identitytoken !== undefined && entry.identitytoken !== '') {
    return { identitytoken: entry.identitytoken, serveraddress };
  }
  const text = Buffer.from(entry?.auth ?? '', 'base64').toString('utf8');
  const colon = text.indexOf(':');
  return colon < 1
    ? undefined
    : { username: text.slice(0, colon), password: text.slice(colon + 1), serveraddress };
}

/** The protocol of docker-credential-*: the server's name on standard input, JSON on standard output. */
async function askHelper(
  helper: string,
  server: string,
  env: HostEnvironment['env'],
): Promise<RegistryAuth | undefined> {
  if (!/^[A-Za-z0-9._-]+$/.test(helper)) {
    return undefined;
  }
  const { stdout } = await runWell(`docker-credential-${helper}`, ['get'], {
    what: 'ask for the password of a registry',
    timeoutMs: helperTimeoutMs,
    input: server,
    env: { ...env },
    maxBytes: maxAnswerBytes,
  });
  const answer: unknown = JSON.parse(stdout);
  if (typeof answer !== 'object' || answer === null || !('Username' in answer) || !('Secret' in answer)) {
    return undefined;
  }
  const { Username: username, Secret: secret } = answer;
  if (typeof username !== 'string' || typeof secret !== 'string') {
    return undefined;
  }
  return username === '<token>'
    ? { identitytoken: secret, serveraddress: server }
    : { username, password: secret, serveraddress: server };
}
