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
  display.update(operation);
  const events = watch(client, operation.id, (current) => display.update(current));
  try {
    const ended = await client.waitFor(operation, cli.signal);
    display.end(ended);
    return ended;
  } catch (error) {
    const last = client.call('operations.get', { params: { id: operation.id } });
    display.end(await last.catch(() => undefined));
    throw error;
  } finally {
    events.dispose();
    display.release();
  }
}

/** Events only decorate: whether the operation has ended is asked by `waitFor`. */
function watch(client: EngineClient, id: string, listener: (operation: Operation) => void): EventStream {
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
 * Does the same to each name: all are started at once and followed one after the other, each failure is told,
 * and the exit code is that of the first.
 */
export async function forEach<T>(
  cli: Cli,
  names: readonly string[],
  begin: (name: string) => Promise<Operation>,
  finish: (client: EngineClient, name: string) => Promise<T>,
): Promise<T[]> {
  const client = await cli.engine();
  const begun = names.map((name) => ({ name, operation: begin(name) }));
  begun.forEach(({ operation }) => {
    operation.catch(() => undefined);
  });
  const results: T[] = [];
  const failures: unknown[] = [];
  for (const { name, operation } of begun) {
    try {
      await follow(cli, client, await operation);
      results.push(await finish(client, name));
    } catch (error) {
      failures.push(error);
    }
  }
  if (failures.length === 1 && names.length === 1) {
    throw failures[0];
  }
  failures.forEach((error) => cli.streams.stderr.write(formatFailure(error, cli.json, cli.errorStyle)));
  if (failures.length > 0 && results.length === 0) {
    throw new ExitWith(exitCodeOf(failures[0]));
  }
  return failures.length === 0 ? results : partly(cli, results, failures[0]);
}

/** What succeeded is still the result; the exit code tells that not all did. */
function partly<T>(cli: Cli, results: T[], failure: unknown): T[] {
  cli.exitCode = exitCodeOf(failure);
  return results;
}
