/** The `berth` command line. */
import { berthVersion } from '../api/version';
import { Cli } from './cli';
import { Interrupts } from './interrupts';
import { run } from './program';
import { endOnBrokenPipe, flushed, type Streams } from './terminal/streams';

async function main(): Promise<void> {
  const streams: Streams = { stdin: process.stdin, stdout: process.stdout, stderr: process.stderr };
  const end = (code: number): void => process.exit(code);
  endOnBrokenPipe(streams, end);
  const interrupts = new Interrupts(process, end);
  const cli = new Cli({ streams, env: process.env, cwd: process.cwd(), version: berthVersion, interrupts });
  const code = await run(process.argv.slice(2), cli);
  await Promise.all([flushed(process.stdout), flushed(process.stderr)]);
  // Standard input may still be open: nothing may wait for it.
  end(code);
}

void main();
