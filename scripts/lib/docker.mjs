/** Makes sure that a Docker (or Podman) engine answers; installs and starts Debian's only where there is none. */
import { pathToFileURL } from 'node:url';
import { findDocker } from './docker-find.mjs';
import { DEFAULT_HOST, startDockerd } from './dockerd.mjs';
import { ensurePrograms, hasApt, rootPrefix } from './root.mjs';
import { which } from './run.mjs';

/** What an engine of our own needs beside itself: networking, and the two things that make images without a registry. */
const PACKAGES = { dockerd: 'docker.io', iptables: 'iptables', mmdebstrap: 'mmdebstrap' };

/**
 * @param {(message: string) => void} say
 * @returns {Promise<string>} the engine's address, as for DOCKER_HOST
 */
export async function ensureDocker(say) {
  const { host, tried } = await findDocker();
  if (host) return host;
  if (process.env.DOCKER_HOST)
    throw new Error(`DOCKER_HOST is set, but ${tried.join('; ')}. Start that engine, or unset DOCKER_HOST.`);
  await installDocker(tried, say);
  await startDockerd(say);
  return DEFAULT_HOST;
}

/**
 * @param {string[]} tried
 * @param {(message: string) => void} say
 */
async function installDocker(tried, say) {
  const prefix = await rootPrefix();
  if (await which('dockerd')) {
    if (prefix) return;
    throw new Error(
      'Docker is installed but its daemon does not run, and starting it needs root. Start it, then run this again.',
    );
  }
  if (!prefix || !(await hasApt())) {
    const where = tried.map((line) => `  ${line}`).join('\n');
    throw new Error(
      `no Docker or Podman engine answers:\n${where}\nInstall one (docs.docker.com/get-docker), start it, then run this again.`,
    );
  }
  await ensurePrograms('no Docker or Podman engine was found', PACKAGES, say);
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) {
  ensureDocker((message) => console.log(message)).then(
    (host) => console.log(`the engine at ${host} answers`),
    (error) => {
      console.error(error.message);
      process.exitCode = 1;
    },
  );
}
