/** Runs a real program with a deadline and collects what it says. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';

export interface Ran {
  code: number;
  stdout: string;
  stderr: string;
}

export interface RunOptions {
  input?: string | Buffer;
  env?: NodeJS.ProcessEnv;
  cwd?: string;
  timeoutMs?: number;
}

export async function runProgram(
  program: string,
  argv: readonly string[],
  options: RunOptions = {},
): Promise<Ran> {
  const child = spawn(program, argv, {
    cwd: options.cwd,
    env: { ...process.env, ...options.env },
    stdio: 'pipe',
  });
  const timeoutMs = options.timeoutMs ?? 30_000;
  const out: Buffer[] = [];
  const err: Buffer[] = [];
  child.stdout.on('data', (chunk: Buffer) => out.push(chunk));
  child.stderr.on('data', (chunk: Buffer) => err.push(chunk));
  child.stdin.on('error', () => undefined);
  child.stdin.end(options.input ?? '');
  const late = AbortSignal.timeout(timeoutMs);
  const kill = () => child.kill('SIGKILL');
  late.addEventListener('abort', kill);
  const [code] = (await once(child, 'close')) as [number | null];
  late.removeEventListener('abort', kill);
  const ran = {
    code: code ?? -1,
    stdout: Buffer.concat(out).toString(),
    stderr: Buffer.concat(err).toString(),
  };
  if (code === null && late.aborted) {
    throw new Error(
      `${program} ${argv.join(' ')} did not end within ${timeoutMs} ms:\n${ran.stdout}${ran.stderr}`,
    );
  }
  return ran;
}

/** Wants it to succeed; answers what it printed, without the last line break. */
export async function succeed(
  program: string,
  argv: readonly string[],
  options: RunOptions = {},
): Promise<string> {
  const { code, stdout, stderr } = await runProgram(program, argv, options);
  if (code !== 0) {
    throw new Error(`${program} ${argv.join(' ')} ended with ${code}:\n${stderr}${stdout}`);
  }
  return stdout.replace(/\n$/, '');
}
