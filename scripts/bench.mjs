/** `npm run bench [-- ARGUMENTS]`: sets up what is missing and runs the benchmarks (bench/main.ts gets the arguments). */
import { join } from 'node:path';
import { ensureDocker } from './lib/docker.mjs';
import { ensureEngine, ensureImages } from './lib/engine.mjs';
import { ROOT } from './lib/paths.mjs';
import { compile, ensureBuild, ensureDependencies } from './lib/repository.mjs';
import { ensurePrograms } from './lib/root.mjs';
import { run } from './lib/run.mjs';

/** What is measured, and what it is measured against. */
const PROGRAMS = {
  ssh: 'openssh-client',
  mke2fs: 'e2fsprogs',
  'qemu-system-x86_64': 'qemu-system-x86',
  'qemu-img': 'qemu-utils',
};
const TIMEOUT_MS = 3_600_000;
const say = (/** @type {string} */ message) => console.log(message);

try {
  await ensureDependencies(say);
  const { isNew } = await ensureBuild(say, 'production');
  const complaints = await compile();
  if (complaints) throw new Error(complaints);
  await ensurePrograms('the benchmarks use them', PROGRAMS, say);
  process.env.DOCKER_HOST = await ensureDocker(say);
  await ensureEngine(isNew);
  await ensureImages(say);
  const program = [join(ROOT, 'out/bench/main.js'), ...process.argv.slice(2)];
  await run(process.execPath, program, { cwd: ROOT, show: true, timeoutMs: TIMEOUT_MS });
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}
