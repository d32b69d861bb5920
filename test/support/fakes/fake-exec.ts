/** Commands of the fake driver: what they say, and how they end. */
import { once } from 'node:events';
import { PassThrough } from 'node:stream';
import type { ExecSession } from '../../../src/backend/drivers/driver';

export interface FakeCommand {
  exitCode?: number;
  stdout?: string;
  stderr?: string;
  /** Runs until it is killed; then ends with 137. */
  endless?: boolean;
  /** Does not end even when it is killed. */
  immortal?: boolean;
}

export function runFake(command: FakeCommand): ExecSession {
  const [stdin, stdout, stderr] = [new PassThrough(), new PassThrough(), new PassThrough()];
  let end = (_: number): void => undefined;
  const exit = new Promise<number>((resolve) => (end = resolve));
  stdout.write(command.stdout ?? '');
  stderr.write(command.stderr ?? '');
  if (command.stdout === 'echo') {
    stdin.pipe(stdout);
  }
  if (command.endless !== true && command.immortal !== true) {
    const delivered = Promise.all([once(stdout, 'end'), once(stderr, 'end')]);
    stdout.end();
    stderr.end();
    void delivered.then(() => end(command.exitCode ?? 0));
  }
  return {
    ...{ stdin, stdout, stderr, exit },
    resize: () => Promise.resolve(),
    kill: () => {
      if (command.immortal !== true) {
        end(137);
      }
      return Promise.resolve();
    },
  };
}
