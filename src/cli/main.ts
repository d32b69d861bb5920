/** The `berth` command line. */
import { berthVersion } from '../api/version';
import { Cli } from './cli';
import { Interrupts } from './interrupts';
import { run } from './program';
import { flushed, onBrokenPipe, restoreTerminal, type Streams } from './terminal/streams';

async function main(): Promise<void> {
  const streams: Streams = { stdin: process.stdin, stdout: process.stdout, stderr: process.stderr };
  const restored = (): void => {
    if (interrupts.signal.aborted) {
      restoreTerminal(streams);
    }
  };
  const interrupts = new Interrupts(process, {
    exit: (code) => {
      restored();
      process.exit(code);
    },
    die: (signal) => {
      restored();
      process.kill(process.pid, signal);
    },
  });
  onBrokenPipe(streams, (code) => interrupts.unread(code));
  const cli = new Cli({ streams, env: process.env, cwd: process.cwd(), version: berthVersion, interrupts });
  const code = await run(process.argv.slice(2), cli);
  await Promise.all([flushed(process.stdout), flushed(process.stderr)]);
  // Standard input may still be open: nothing may wait for it.
  interrupts.end(code);
}

void main();
