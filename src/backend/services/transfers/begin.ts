/** The operation of a transfer: what it is called, and which volume it is listed with. */
import { basename } from 'node:path';
import type { TransferCreate } from '../../../api/files/schemas';
import type { Operation } from '../../../api/operations/schemas';
import { workspaceOfRoot } from '../../../api/rules/root-files';
import type { Operations } from '../operations/operations';
import type { Transfers } from './transfers';

/** Throws for a request that can never work, before an operation is made of it. */
export function beginTransfer(
  { operations, transfers }: { operations: Operations; transfers: Transfers },
  request: TransferCreate,
): Operation {
  transfers.check(request);
  const begin = { kind: 'transfer' as const, title: transferTitle(request), ...volumeOf(request) };
  return operations.start(begin, (context) => transfers.run(request, context));
}

/** The volume that is written to, or else read. */
function volumeOf({ from, to }: TransferCreate): { volume?: string } {
  const place = 'volume' in to ? to : from;
  return 'volume' in place ? { volume: place.volume } : {};
}

/** E.g. `Move 3 items to demo:/src`. */
export function transferTitle({ from, to, move = false }: TransferCreate): string {
  const paths = 'volume' in from ? from.paths : from.local;
  const [first = ''] = paths;
  const what =
    paths.length > 1 ? `${paths.length} items` : basename(first) || ('volume' in from ? from.volume : first);
  const target = 'volume' in to ? `${workspaceOfRoot(to.volume) ?? to.volume}:${to.path}` : to.local;
  return `${move ? 'Move' : 'Copy'} ${what} to ${target}`;
}
