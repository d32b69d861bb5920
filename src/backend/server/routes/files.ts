import { basename } from 'node:path';
import { Value } from '@sinclair/typebox/value';
import { BerthError } from '../../../api/errors';
import { workspaceOfRoot } from '../../../api/rules/root-files';
import type { RemovalCreate, TransferCreate } from '../../../api/files/schemas';
import {
  RemovalResult,
  TransferResult,
  type Operation,
  type RemovalOperation,
  type TransferOperation,
} from '../../../api/operations/schemas';
import { checkRemoval, removalTitle, runRemoval, type RemovalParts } from '../../services/volumes/removals';
import type { WaitFor } from '../wait-for';
import type { Handlers } from '../register';
import type { Services } from '../services';

function volumeOf({ from, to }: TransferCreate): { volume?: string } {
  const place = 'volume' in to ? to : from;
  return 'volume' in place ? { volume: place.volume } : {};
}

function transferTitle({ from, to, move = false }: TransferCreate): string {
  const paths = 'volume' in from ? from.paths : from.local;
  const [first = ''] = paths;
  const what =
    paths.length > 1 ? `${paths.length} items` : basename(first) || ('volume' in from ? from.volume : first);
  const target = 'volume' in to ? `${workspaceOfRoot(to.volume) ?? to.volume}:${to.path}` : to.local;
  return `${move ? 'Move' : 'Copy'} ${what} to ${target}`;
}

/** A result of another kind is a bug: it is not answered as one. */
function withResult<T extends Operation>(operation: Operation, has: (each: Operation) => each is T): T {
  if (!has(operation)) {
    throw new BerthError('internal', `Operation ${operation.id} has a result of another kind.`);
  }
  return operation;
}

function hasTransferResult(operation: Operation): operation is TransferOperation {
  return operation.result === undefined || Value.Check(TransferResult, operation.result);
}

function hasRemovalResult(operation: Operation): operation is RemovalOperation {
  return operation.result === undefined || Value.Check(RemovalResult, operation.result);
}

type Ids =
  | `files.${'stat' | 'list' | 'mkdir' | 'rename' | 'copy' | 'remove' | 'chmod'}`
  | 'workspaces.locate'
  | 'removals.create'
  | 'transfers.create'
  | 'transfers.conflicts';

export function fileHandlers(services: Services, waitFor: WaitFor): Handlers<Ids> {
  const { volumes, transfers, operations, locations } = services;
  return {
    'workspaces.locate': ({ params, query: { path, follow = false } }) =>
      locations.locate(params.name, path, { follow }),
    'files.stat': async ({ params, query }) => (await volumes.files(params.volume)).stat(query.path),
    'files.list': async ({ params, query }) => {
      const { path, ...page } = query;
      return (await volumes.files(params.volume)).list(path, page);
    },
    'files.mkdir': async ({ params, body: { path, parents = false } }) =>
      (await volumes.files(params.volume)).mkdir(path, { parents }),
    'files.rename': async ({ params, body: { from, to, overwrite = false } }) =>
      (await volumes.files(params.volume)).rename(from, to, { overwrite }),
    'files.copy': async ({ params, body: { from, to, overwrite = false }, signal }) =>
      (await volumes.files(params.volume)).copy(from, to, { overwrite }, signal),
    'files.remove': async ({ params, body: { path, recursive = false }, signal }) => {
      await (await volumes.files(params.volume)).remove(path, { recursive }, signal);
      return {};
    },
    'files.chmod': async ({ params, body: { path, mode } }) =>
      (await volumes.files(params.volume)).chmod(path, mode),
    'removals.create': ({ body, query }) => beginRemoval(services, waitFor, body, query),
    'transfers.create': async ({ body, query }) => {
      transfers.check(body);
      const begin = { kind: 'transfer', title: transferTitle(body), ...volumeOf(body) };
      const operation = operations.start(begin, async (context) => ({
        ...(await transfers.run(body, context)),
      }));
      return withResult(await waitFor(operation, query), hasTransferResult);
    },
    'transfers.conflicts': ({ body }) => transfers.conflicts(body),
  };
}

async function beginRemoval(
  { operations, volumes }: Services,
  waitFor: WaitFor,
  body: RemovalCreate,
  query: Parameters<WaitFor>[1],
): Promise<RemovalOperation> {
  checkRemoval(body);
  const begin = { kind: 'removal', title: removalTitle(body), volume: body.volume };
  const parts: RemovalParts = {
    openFiles: (volume) => volumes.files(volume),
  };
  const operation = operations.start(begin, async (context) => ({
    ...(await runRemoval(body, parts, context)),
  }));
  return withResult(await waitFor(operation, query), hasRemovalResult);
}
