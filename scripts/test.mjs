/**
 * `npm test [-- SUITE...] [--grep TEXT]`: sets up what is missing, then lint, types and all suites, or those that are
 * named (lint, types, unit, runner, engine, microvm, host, ui, package). The last line is the sum.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { berth } from './lib/berth.mjs';
import { ensureDocker } from './lib/docker.mjs';
import { ensureGuestKit, ensureImages } from './lib/engine.mjs';
import { requireNode } from './lib/node-version.mjs';
import { CACHE } from './lib/paths.mjs';
import { packageVsix } from './lib/package.mjs';
import { compile, ensureBuild, ensureDependencies } from './lib/repository.mjs';
import { aptInstall, ensurePrograms, exists, hasApt } from './lib/root.mjs';
import { createSteps } from './lib/steps.mjs';
import { CHECKS, SUITES, checkOutcome, runCheck, runSuite } from './lib/suites.mjs';
import { ensureChromium, ensureVsCodeHost } from './lib/vscode-host.mjs';

const ALL = ['lint', 'types', ...SUITES];
/** What a suite needs beside compiled tests. */
const NEEDS = {
  docker: new Set(['engine', 'microvm', 'host', 'ui', 'package']),
  programs: new Set(['unit', 'engine', 'microvm', 'host', 'ui']),
  build: new Set(['engine', 'microvm', 'host', 'ui', 'package']),
  guests: new Set(['microvm', 'ui']),
  vscode: new Set(['runner', 'host', 'ui', 'package']),
  vsix: new Set(['ui', 'package']),
};

/** What the tests run beside what Berth itself needs: the real thing, to hold ours against. */
const PROGRAMS = {
  ssh: 'openssh-client',
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

/** Lets an engine of its own build, which leaves nothing behind. @param {() => Promise<unknown>} build */
async function withEngine(build) {
  const home = await mkdtemp(join(tmpdir(), 'berth-images-'));
  const before = process.env.BERTH_HOME;
  process.env.BERTH_HOME = home;
  try {
    await build();
  } finally {
    await berth(['down'], { allowFailure: true });
    if (before === undefined) delete process.env.BERTH_HOME;
    else process.env.BERTH_HOME = before;
    await rm(home, { recursive: true, force: true });
  }
}

/** In QEMU's packages on Debian 12, in one of its own since; in no folder of PATH. @param {(message: string) => void} say */
async function ensureVirtiofsd(say) {
  for (const path of ['/usr/libexec/virtiofsd', '/usr/lib/qemu/virtiofsd']) if (await exists(path)) return;
  if (await hasApt()) await aptInstall('microVMs share folders by it', ['virtiofsd'], say);
  else say('missing: virtiofsd (microVMs share folders by it)');
}

/** @param {string[]} suites */
async function setUp(suites) {
  const steps = createSteps();
  // Guest kits, root file systems and templates of microVMs: made once for all state directories of tests.
  process.env.BERTH_CACHE ??= join(CACHE, 'microvm');
  const isNeeded = (/** @type {Set<string>} */ by) => suites.some((suite) => by.has(suite));
  await steps.run('npm packages', ensureDependencies);
  if (isNeeded(NEEDS.build)) await steps.run('build', (say) => ensureBuild(say, 'production'));
  if (isNeeded(NEEDS.programs))
    await steps.run('programs', async (say) => {
      await ensurePrograms('the tests use them', PROGRAMS, say);
      await ensureVirtiofsd(say);
    });
  if (isNeeded(NEEDS.docker)) {
    await steps.run('Docker', async (say) => {
      process.env.DOCKER_HOST = await ensureDocker(say);
    });
    await steps.run('images', (say) => withEngine(() => ensureImages(say)));
  }
  if (isNeeded(NEEDS.guests)) await steps.run('guest kit', () => withEngine(ensureGuestKit));
  if (isNeeded(NEEDS.vscode))
    await steps.run('VS Code', (say) => Promise.all([ensureVsCodeHost(say), ensureChromium(say)]));
  if (isNeeded(NEEDS.vsix)) {
    await steps.run('package', async () => {
      process.env.BERTH_TEST_VSIX = await packageVsix();
    });
  }
  return steps.run('compile', compile);
}

/** @param {string[]} suites @param {string | undefined} grep */
async function runAll(suites, grep) {
  const complaints = await setUp(suites);
  const outcomes = [];
  if (suites.includes('lint')) {
    for (const [name, program] of Object.entries(CHECKS)) outcomes.push(await runCheck(name, program));
  }
  if (complaints) console.error(complaints);
  if (suites.includes('types') || complaints) outcomes.push(checkOutcome('types', !complaints));
  const wanted = SUITES.filter((name) => suites.includes(name));
  const timed = async (/** @type {string} */ suite, isHeard = true) => {
    const start = performance.now();
    const outcome = await runSuite(suite, { ...(grep ? { grep } : {}), isHeard, env: process.env });
    return { ...outcome, seconds: (performance.now() - start) / 1000 };
  };
  // They compute, the others mostly wait: beside each other they take as long as the longer one.
  const beside = wanted.length > 1 && wanted.includes('unit') ? timed('unit', false) : undefined;
  for (const suite of wanted.filter((name) => !beside || name !== 'unit')) {
    console.log(`\n══ ${suite}`);
    outcomes.push(await timed(suite));
  }
  if (beside) {
    const outcome = await beside;
    console.log(`\n══ unit\n${outcome.output ?? ''}`);
    outcomes.push(outcome);
  }
  return outcomes;
}

/** @param {import('./lib/suites.mjs').Outcome[]} outcomes @returns {number} how many failed */
function report(outcomes) {
  const sum = (/** @type {'passed' | 'failed' | 'skipped'} */ key) =>
    outcomes.reduce((total, each) => total + each[key], 0);
  console.log('');
  for (const { name, passed, failed, skipped, seconds } of outcomes) {
    const counts = Object.entries({ passed, failed, skipped }).map(
      ([word, count]) => `${String(count).padStart(6)} ${word}`,
    );
    const time = seconds === undefined ? '' : `${seconds.toFixed(0).padStart(6)} s`;
    console.log(`${name.padEnd(9)}${counts.join('')}${time}`);
  }
  for (const title of outcomes.flatMap(({ unsteady = [] }) => unsteady))
    console.log(`passed at the second try: ${title}`);
  for (const title of outcomes.flatMap(({ failures }) => failures)) console.log(`failed: ${title}`);
  const [passed, failed, skipped] = [sum('passed'), sum('failed'), sum('skipped')];
  console.log(`\n${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`);
  return failed;
}

const { values, positionals } = parseArgs({ allowPositionals: true, options: { grep: { type: 'string' } } });
const unknown = positionals.filter((name) => !ALL.includes(name));
try {
  requireNode();
  if (unknown.length > 0)
    throw new Error(`no suite is called ${unknown.join(' or ')}; there are ${ALL.join(', ')}`);
  const outcomes = await runAll(positionals.length > 0 ? positionals : ALL, values.grep);
  process.exitCode = report(outcomes) > 0 ? 1 : 0;
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  console.log('\n0 passed, 1 failed');
  process.exitCode = 1;
}
