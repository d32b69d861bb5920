/**
 * `npm run bench [-- NAME... | quick]`: runs the benchmarks beside this file, or those that are named, one after the
 * other, each in a process of its own; `microvm` names all whose names begin with it. Exit code 0 whatever they
 * measure, 1 when one could not run.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';

const notBenchmarks = new Set(['main', 'lib']);

function benchmarks(): string[] {
  return readdirSync(__dirname)
    .filter((file) => file.endsWith('.js'))
    .map((file) => file.slice(0, -'.js'.length))
    .filter((name) => !notBenchmarks.has(name));
}

async function runBenchmark(name: string, options: readonly string[]): Promise<boolean> {
  const child = spawn(process.execPath, [join(__dirname, `${name}.js`), ...options], { stdio: 'inherit' });
  const [code] = (await once(child, 'close')) as [number | null];
  return code === 0;
}

async function runAll(argv: readonly string[]): Promise<void> {
  const known = benchmarks();
  const isNamed = (name: string, word: string) => name === word || name.startsWith(`${word}-`);
  const named = known.filter((name) => argv.some((word) => isNamed(name, word)));
  const options = argv.filter((word) => !known.some((name) => isNamed(name, word)));
  const unknown = options.filter((word) => word !== 'quick');
  if (unknown.length > 0) {
    throw new Error(
      `No benchmark ${unknown.join(', ')}. There are ${known.join(', ')}, and the option quick.`,
    );
  }
  const failed: string[] = [];
  for (const name of named.length > 0 ? named : known) {
    if (!(await runBenchmark(name, options))) {
      failed.push(name);
    }
  }
  if (failed.length > 0) {
    throw new Error(`Could not run: ${failed.join(', ')}.`);
  }
}

runAll(process.argv.slice(2)).catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
});
