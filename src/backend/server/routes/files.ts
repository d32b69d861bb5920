import { Value } from '@sinclair/typebox/value';
import type { TakeOverOperation } from '../../../api/files/take-over';
import { BerthError } from '../../../api/errors';
import { resultSchemaOf, type OperationKind } from '../../../api/operations/results';
import type { Operation, RemovalOperation, TransferOperation } from '../../../api/operations/schemas';
import { beginTransfer } from '../../services/transfers/begin';
import { measure } from '../../services/volumes/measure';
import { beginTakeOver } from '../../services/volumes/take-over/begin';
import { beginRemoval } from '../../services/volumes/removals';
import type { WaitFor } from '../wait-for';
import type { Handlers } from '../register';
import type { Services } from '../services';

/** A result of another kind is a bug: it is not answered as one. */
function withResult<T extends Operation>(operation: Operation, has: (each: Operation) => each is T): T {
  if (!has(operation)) {
    throw new BerthError('internal', `Operation ${operation.id} has a result of another kind.`);
  }
  return operation;
}

/** Where there is a result at all: it has none before its end, nor after a failure. */
function hasFitting({ kind, result }: Operation, wanted: OperationKind): boolean {
  const schema = resultSchemaOf(wanted);
  return kind === wanted && (result === undefined || (schema !== undefined && Value.Check(schema, result)));
}

const hasTransferResult = (operation: Operation): operation is TransferOperation =>
  hasFitting(operation, 'transfer');

const hasRemovalResult = (operation: Operation): operation is RemovalOperation =>
  hasFitting(operation, 'removal');

const hasTakeOverResult = (operation: Operation): operation is TakeOverOperation =>
  hasFitting(operation, 'takeover');

type Ids =
  | `files.${'stat' | 'list' | 'measure' | 'mkdir' | 'rename' | 'copy' | 'remove' | 'chmod'}`
  | 'workspaces.locate'
  | 'removals.create'
  | 'transfers.create'
  | 'transfers.conflicts'
  | 'takeovers.create';

/** Routes of files, transfers and removals. */
export function fileHandlers(services: Services, waitFor: WaitFor): Handlers<Ids> {
  const { volumes, transfers, operations, locations } = services;
  const openFiles = (volume: string) => volumes.files(volume);
  return {
    'workspaces.locate': ({ params, query: { path, follow = false } }) =>
      locations.locate(params.name, path, { follow }),
    'files.stat': async ({ params, query }) => (await volumes.files(params.volume)).stat(query.path),
    'files.list': async ({ params, query }) => {
      const { path, ...page } = query;
      return (await volumes.files(params.volume)).list(path, { ...page, isSentOn: true });
    },
    'files.measure': async ({ params, query: { path, withinMs = 1_000 }, signal }) =>
      measure(await volumes.files(params.volume), path, { withinMs, signal }),
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
    'removals.create': async ({ body, query }) =>
      withResult(await waitFor(beginRemoval({ operations, openFiles }, body), query), hasRemovalResult),
    'transfers.create': async ({ body, query }) =>
      withResult(await waitFor(beginTransfer({ operations, transfers }, body), query), hasTransferResult),
    'takeovers.create': async ({ body, query }) =>
      withResult(await waitFor(beginTakeOver({ operations, openFiles }, body), query), hasTakeOverResult),
    'transfers.conflicts': ({ body }) => transfers.conflicts(body),
  };
}
