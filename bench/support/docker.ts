/** The baseline: Docker's own API and OpenSSH, without anything of Berth. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import Dockerode from 'dockerode';

export const docker = new Dockerode();

export const prefix = `berth-bench-${process.pid}`;

/** Runs a program; answers its exit code. */
export function run(argv: readonly string[]): Promise<number> {
  const [program = '', ...args] = argv;
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { stdio: 'ignore' });
    child.on('error', reject);
    child.on('close', (code) => resolve(code ?? 255));
  });
}

/** Runs a program that must succeed. */
export async function must(argv: readonly string[]): Promise<void> {
  const code = await run(argv);
  if (code !== 0) {
    throw new Error(`${argv.join(' ')} ended with ${code}.`);
  }
}

/** One program's output into another, which both must succeed. */
export async function piped(from: readonly string[], to: readonly string[]): Promise<void> {
  const [source = '', ...sourceArgs] = from;
  const [target = '', ...targetArgs] = to;
  const writer = spawn(source, sourceArgs, { stdio: ['ignore', 'pipe', 'ignore'] });
  const reader = spawn(target, targetArgs, { stdio: [writer.stdout, 'ignore', 'ignore'] });
  const codes = await Promise.all([once(writer, 'exit'), once(reader, 'exit')]);
  if (codes.some(([code]) => code !== 0)) {
    throw new Error(`${from.join(' ')} | ${to.join(' ')} ended with ${codes.flat().join(', ')}.`);
  }
}

/** Tries to log in until a command has run, as a person who waits for a machine does. */
export async function firstLogin(ssh: readonly string[], timeoutMs = 30_000): Promise<void> {
  const end = Date.now() + timeoutMs;
  while ((await run([...ssh, 'true'])) !== 0) {
    if (Date.now() > end) {
      throw new Error(`No login within ${timeoutMs / 1000} s: ${ssh.join(' ')}`);
    }
    await sleep(20);
  }
}
