import { basename, posix } from 'node:path';
import { Value } from '@sinclair/typebox/value';
import { BerthError } from '../../../api/errors';
import { workspaceOfRoot } from '../../../api/root-files';
import type { TransferCreate } from '../../../api/schemas/file';
import { TransferResult, type Operation, type TransferOperation } from '../../../api/schemas/operation';
import type { WaitFor } from '../handlers';
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

/** `/a`, `/a/b` and `/a/b/c` of `/a/b/c`. */
function withAncestors(path: string): string[] {
  const parts = posix.normalize(path).split('/').filter(Boolean);
  return parts.map((_, index) => `/${parts.slice(0, index + 1).join('/')}`);
}

/** A result that is none of a transfer is a bug: it is not answered as one. */
function asTransfer(operation: Operation): TransferOperation {
  if (!hasTransferResult(operation)) {
    throw new BerthError('internal', `Operation ${operation.id} has not the result of a transfer.`);
  }
  return operation;
}

function hasTransferResult(operation: Operation): operation is TransferOperation {
  return operation.result === undefined || Value.Check(TransferResult, operation.result);
}

type Ids =
  | `files.${'stat' | 'list' | 'mkdir' | 'rename' | 'copy' | 'remove' | 'chmod'}`
  | 'workspaces.locate'
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
    'files.mkdir': async ({ params: { volume }, body: { path, parents = false } }) => {
      const entry = await (await volumes.files(volume)).mkdir(path, { parents });
      // Which of those above it are new as well is not known: who has seen them already looks again.
      const made = parents ? withAncestors(path) : [path];
      volumes.changed(
        volume,
        made.map((each) => ({ type: 'created', path: each })),
      );
      return entry;
    },
    'files.rename': async ({ params: { volume }, body: { from, to, overwrite = false } }) => {
      const entry = await (await volumes.files(volume)).rename(from, to, { overwrite });
      volumes.changed(volume, [
        { type: 'deleted', path: from },
        { type: 'created', path: to },
      ]);
      return entry;
    },
    'files.copy': async ({ params: { volume }, body: { from, to, overwrite = false }, signal }) => {
      const entry = await (await volumes.files(volume)).copy(from, to, { overwrite }, signal);
      volumes.changed(volume, [{ type: 'created', path: to }]);
      return entry;
    },
    'files.remove': async ({ params: { volume }, body: { path, recursive = false }, signal }) => {
      await (await volumes.files(volume)).remove(path, { recursive }, signal);
      volumes.changed(volume, [{ type: 'deleted', path }]);
      return {};
    },
    'files.chmod': async ({ params: { volume }, body: { path, mode } }) => {
      const entry = await (await volumes.files(volume)).chmod(path, mode);
      volumes.changed(volume, [{ type: 'changed', path }]);
      return entry;
    },
    'transfers.create': async ({ body, query }) => {
      transfers.check(body);
      const begin = { kind: 'transfer', title: transferTitle(body), ...volumeOf(body) };
      const operation = operations.start(begin, async (context) => ({
        ...(await transfers.run(body, context)),
      }));
      return asTransfer(await waitFor(operation, query));
    },
    'transfers.conflicts': ({ body }) => transfers.conflicts(body),
  };
}
