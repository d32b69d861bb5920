/** The operation of what is taken over. */
import type { TakeOverCreate } from '../../../../api/files/take-over';
import type { Operation } from '../../../../api/operations/schemas';
import { workspaceOfRoot } from '../../../../api/rules/root-files';
import type { VolumeFiles } from '../../../files/volume-files';
import type { Operations } from '../../operations/operations';
import { checkTakeOver, TakeOver } from './take-over';

export interface TakeOverDeps {
  operations: Operations;
  openFiles: (volume: string) => Promise<VolumeFiles>;
}

/** Throws for a request that can never work, before an operation is made of it. */
export function beginTakeOver({ operations, openFiles }: TakeOverDeps, request: TakeOverCreate): Operation {
  checkTakeOver(request);
  const begin = { kind: 'takeover' as const, title: titleOf(request), volume: request.to.volume };
  return operations.start(begin, async (context) => {
    const [from, to] = await Promise.all([openFiles(request.from.volume), openFiles(request.to.volume)]);
    return new TakeOver(request, { from, to }, context).run();
  });
}

/** E.g. `Take 3 changes over to demo`. */
function titleOf({ to, changes }: TakeOverCreate): string {
  const what = changes.length === 1 ? '1 change' : `${changes.length} changes`;
  return `Take ${what} over to ${workspaceOfRoot(to.volume) ?? to.volume}`;
}
