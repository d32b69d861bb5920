/** What the suites of `npm test` need, made beside each other where one part does not need the other. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { berth } from './berth.mjs';
import { ensureDocker } from './docker.mjs';
import { ensureGuestKit, ensureImages } from './engine.mjs';
import { packageVsix } from './package.mjs';
import { CACHE } from './paths.mjs';
import { compile, ensureBuild, ensureDependencies } from './repository.mjs';
import { aptInstall, ensurePrograms, exists, hasApt } from './root.mjs';
import { createTasks } from './tasks.mjs';
import { ensureChromium, ensureVsCodeHost } from './vscode-host.mjs';

/**
 * What a suite needs beside compiled tests.
 * @type {Record<string, string[]>}
 */
const NEEDS = {
  lint: [],
  types: [],
  unit: ['programs'],
  ordinary: ['programs'],
  runner: ['VS Code'],
  engine: ['programs', 'images'],
  microvm: ['programs', 'guest kit'],
  host: ['programs', 'images', 'VS Code'],
  ui: ['programs', 'guest kit', 'VS Code', 'package'],
  package: ['images', 'VS Code', 'package'],
};

/** What the tests run beside what Berth itself needs: the real thing, to hold ours against. */
const PROGRAMS = {
  ssh: 'openssh-client',
  sshd: 'openssh-server',
  git: 'git',
  openssl: 'openssl',
  rsync: 'rsync',
  busybox: 'busybox-static',
  'docker-registry': 'docker-registry',
  ps: 'procps',
  python3: 'python3',
  zsh: 'zsh',
  fish: 'fish',
  podman: 'podman netavark aardvark-dns',
  runc: 'runc',
  'qemu-system-x86_64': 'qemu-system-x86',
  'qemu-img': 'qemu-utils',
};

/** @type {Record<string, import('./tasks.mjs').Task>} */
const TASKS = {
  'npm packages': { work: ensureDependencies },
  programs: { work: ensureTestPrograms },
  Docker: {
    needs: ['programs'],
    work: async (say) => {
      process.env.DOCKER_HOST = await ensureDocker(say);
    },
  },
  'VS Code': { work: (say) => Promise.all([ensureVsCodeHost(say), ensureChromium(say)]) },
  build: { needs: ['npm packages'], work: (say) => ensureBuild(say, 'production') },
  compile: { needs: ['npm packages'], work: compile },
  images: {
    needs: ['build', 'Docker'],
    work: (say) => withEngine((env) => ensureImages(say, env)),
  },
  'guest kit': { needs: ['images', 'programs'], work: () => withEngine(ensureGuestKit) },
  package: {
    needs: ['build'],
    work: async () => {
      process.env.BERTH_TEST_VSIX = await packageVsix();
    },
  },
};

/** Lets an engine of its own build, which leaves nothing behind. @param {(env: NodeJS.ProcessEnv) => Promise<unknown>} build */
async function withEngine(build) {
  const home = await mkdtemp(join(tmpdir(), 'berth-images-'));
  const env = { ...process.env, BERTH_HOME: home };
  try {
    await build(env);
  } finally {
    await berth(['down'], { allowFailure: true, env });
    await rm(home, { recursive: true, force: true });
  }
}

/** @param {(message: string) => void} say */
async function ensureTestPrograms(say) {
  await ensurePrograms('the tests use them', PROGRAMS, say);
  // In QEMU's packages on Debian 12, in one of its own since; in no folder of PATH.
  for (const path of ['/usr/libexec/virtiofsd', '/usr/lib/qemu/virtiofsd']) if (await exists(path)) return;
  if (await hasApt()) await aptInstall('microVMs share folders by it', ['virtiofsd'], say);
  else say('missing: virtiofsd (microVMs share folders by it)');
}

/**
 * Begins all that these suites need.
 * @param {string[]} suites
 * @param {import('./steps.mjs').Steps} steps
 * @returns {(suite: string) => Promise<string>} resolves when that suite may run, with the compiler's complaints
 */
export function setUp(suites, steps) {
  // Guest kits, root file systems and templates of microVMs: made once for all state directories of tests.
  process.env.BERTH_CACHE ??= join(CACHE, 'microvm');
  const done = createTasks(TASKS, steps);
  const ready = async (/** @type {string} */ suite) => {
    const [complaints] = await Promise.all(['compile', ...(NEEDS[suite] ?? [])].map(done));
    return String(complaints);
  };
  // Whoever waits for it hears of its failure.
  for (const suite of suites) ready(suite).catch(() => undefined);
  return ready;
}
