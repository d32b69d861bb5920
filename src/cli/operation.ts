/** Follows an operation to its end: progress while it runs, its error thrown, cancelled by Ctrl-C. */
import type { Operation } from '../api';
import type { EngineClient } from '../client/engine-client';
import { EventStream } from '../client/events';
import type { Cli } from './cli';
import { exitCodeOf, ExitWith, formatFailure } from './failure';

/** Shows the operation until it ended; rejects with its error. */
export async function follow(cli: Cli, client: EngineClient, operation: Operation): Promise<Operation> {
  if (cli.json) {
    return client.waitFor(operation, cli.signal);
  }
  const display = cli.progress();
  display.update(cli.paths.inOperation(operation));
  const events = watch(client, operation.id, (current) => display.update(cli.paths.inOperation(current)));
  try {
    const ended = await client.waitFor(operation, cli.signal);
    display.end(cli.paths.inOperation(ended));
    return ended;
  } catch (error) {
    const last = client.call('operations.get', { params: { id: operation.id } });
    display.end(await last.then((each) => cli.paths.inOperation(each)).catch(() => undefined));
    throw error;
  } finally {
    events.dispose();
    display.release();
  }
}

/** Events only decorate: whether the operation has ended is asked by `waitFor`. */
export function watch(
  client: EngineClient,
  id: string,
  listener: (operation: Operation) => void,
): EventStream {
  return new EventStream(() => Promise.resolve(client.transport), {
    event: (event) => {
      if (event.type === 'operation.changed' && event.payload.id === id) {
        listener(event.payload);
      }
    },
    connected: () => undefined,
    disconnected: () => undefined,
  });
}

/**
 * The rule of every verb with several names: all are tried, each failure is reported, what succeeded is the answer, and
 * the exit code is that of the first failure. Ctrl-C leaves those that are not begun. Throws `ExitWith` when none
 * succeeded; of a single name, its own error.
 */
export async function forEach<N, T>(
  cli: Cli,
  names: readonly N[],
  act: (name: N) => Promise<T>,
): Promise<T[]> {
  const results: T[] = [];
  const failures: unknown[] = [];
  for (const name of names) {
    try {
      results.push(await act(name));
    } catch (error) {
      if (names.length === 1 || cli.signal.aborted) {
        throw error;
      }
      failures.push(error);
      cli.streams.stderr.write(formatFailure(error, cli.json, cli.errorStyle));
    }
  }
  if (failures.length > 0) {
    cli.exitCode = exitCodeOf(failures[0]);
    if (results.length === 0) {
      throw new ExitWith(cli.exitCode);
    }
  }
  return results;
}

/** The same where the engine does it in operations: all are begun at once and followed one after the other. */
export async function followEach<T>(
  cli: Cli,
  names: readonly string[],
  begin: (name: string) => Promise<Operation>,
  finish: (client: EngineClient, name: string, ended: Operation) => Promise<T>,
): Promise<T[]> {
  const client = await cli.engine();
  const begun = names.map((name) => ({ name, operation: begin(name) }));
  begun.forEach(({ operation }) => {
    operation.catch(() => undefined);
  });
  return forEach(cli, begun, async ({ name, operation }) => {
    const ended = await follow(cli, client, await operation);
    return finish(client, name, ended);
  });
}
