/** Runs the command line inside this process, with streams that are read back. */
import { EventEmitter } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { Cli } from '../../../src/cli/cli';
import { Interrupts } from '../../../src/cli/interrupts';
import { run } from '../../../src/cli/program';
import type { Streams } from '../../../src/cli/terminal/streams';

export interface Invocation {
  code: number;
  stdout: string;
  stderr: string;
}

/** Streams that are no terminals. */
export function createStreams(): Streams & { read(): { stdout: string; stderr: string } } {
  const [stdin, stdout, stderr] = [new PassThrough(), new PassThrough(), new PassThrough()];
  return {
    stdin: stdin as unknown as NodeJS.ReadStream,
    stdout: stdout as unknown as NodeJS.WriteStream,
    stderr: stderr as unknown as NodeJS.WriteStream,
    read: () => ({ stdout: textOf(stdout), stderr: textOf(stderr) }),
  };
}

function textOf(stream: PassThrough): string {
  return ((stream.read() as Buffer | null) ?? Buffer.alloc(0)).toString('utf8');
}

/** One invocation with an empty state directory, where no engine runs. */
export async function invoke(...argv: string[]): Promise<Invocation> {
  const home = mkdtempSync(join(tmpdir(), 'berth-cli-'));
  const streams = createStreams();
  const interrupts = new Interrupts(new EventEmitter(), { exit: () => undefined, die: () => undefined });
  const env = { BERTH_HOME: home, BERTH_ENGINE_PATH: join(home, 'no-engine.js') };
  try {
    const cli = new Cli({ streams, env, cwd: home, version: '1.2.3', interrupts });
    const code = await run(argv, cli);
    return { code, ...streams.read() };
  } finally {
    interrupts.dispose();
    rmSync(home, { recursive: true, force: true });
  }
}
