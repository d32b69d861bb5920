import type { Command } from 'commander';
import type { EngineEvent, Operation } from '../../api';
import { EventStream } from '../../client/events';
import type { Cli } from '../cli';
import { formatTable } from '../format/table';
import { printable } from '../format/text';
import { formatAgo } from '../format/time';
import { examples } from '../help';

/** `operations`, `cancel`, `events`. */
export function registerOperations(program: Command, cli: Cli): void {
  examples(
    program
      .command('operations')
      .description('list running and recent operations, newest first')
      .option('--running', 'only running operations')
      .action((options: { running?: boolean }) => operations(cli, options.running === true)),
    ['berth operations --running', ''],
  );
  examples(
    program
      .command('cancel')
      .description('cancel a running operation')
      .argument('<id>')
      .action((id: string) => cancel(cli, id)),
    ['berth cancel 01J8…', 'the id is in `berth operations`'],
  );
  examples(
    program
      .command('events')
      .description('follow events until Ctrl-C')
      .action(() => events(cli)),
    ['berth events --json', 'one JSON object a line'],
  );
}

async function operations(cli: Cli, running: boolean): Promise<void> {
  const client = await cli.engine();
  const found = await client.call('operations.list', {
    ...(running && { query: { running } }),
    signal: cli.signal,
  });
  cli.result(found, () => (found.length === 0 ? 'No operations.' : formatOperations(found, Date.now())));
}

/** A table. `now` is in ms since 1970. */
export function formatOperations(found: readonly Operation[], now: number): string {
  return formatTable(
    [{ title: 'ID' }, { title: 'WHAT' }, { title: 'STATUS' }, { title: 'STARTED' }],
    found.map((operation) => [
      operation.id,
      printable(operation.title),
      operation.error === undefined
        ? operation.status
        : `${operation.status}: ${printable(operation.error.message)}`,
      formatAgo(operation.startedAt, now),
    ]),
  );
}

async function cancel(cli: Cli, id: string): Promise<void> {
  const client = await cli.engine();
  const operation = await client.call('operations.cancel', { params: { id } });
  cli.result(operation, () => `${printable(operation.title)}: ${operation.status}.`);
}

/** Ends at Ctrl-C; a broken stream is opened again without a gap. */
async function events(cli: Cli): Promise<void> {
  const client = await cli.engine();
  const stream = new EventStream(() => Promise.resolve(client.transport), {
    event: (event) => {
      cli.print(cli.json ? JSON.stringify(event) : describeEvent(event));
    },
    connected: () => undefined,
    disconnected: () => cli.note('The engine closed the stream; reconnecting.'),
  });
  await new Promise<void>((resolve) => {
    cli.signal.addEventListener('abort', () => resolve(), { once: true });
  });
  stream.dispose();
}

/** One line for one event. */
export function describeEvent(event: EngineEvent): string {
  switch (event.type) {
    case 'workspace.changed':
      return `workspace ${event.payload.name} is ${event.payload.state}`;
    case 'workspace.deleted':
      return `workspace ${event.payload.name} is deleted`;
    case 'volume.changed':
      return `volume ${event.payload.name} changed, ${event.payload.holders.length} holders`;
    case 'volume.deleted':
      return `volume ${event.payload.name} is deleted`;
    case 'operation.changed':
      return `operation ${event.payload.id} ${printable(event.payload.title)}: ${event.payload.status}`;
    case 'files.changed':
      return event.payload.changes
        .map((change) => `file ${event.payload.volume}:${printable(change.path)} ${change.type}`)
        .join('\n');
    case 'driver.changed':
      return `${event.payload.runtime} driver is ${event.payload.available ? 'available' : 'not available'}`;
    case 'reset':
      return `reset: ${event.payload.reason}`;
  }
}
