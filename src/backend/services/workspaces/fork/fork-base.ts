import type { Driver } from '../../../drivers/driver';
import type { Log } from '../../../machine/log';
import type { Snapshots } from '../../snapshots/snapshots';
import type { WorkspaceRecord } from '../record';
import type { WorkspaceRegistry } from '../registry';
import { dropForkImage } from './fork-image';

/** To be called when a workspace has gone: what forks of its kind began with goes with the last of them. Never fails. */
export async function dropForkBase(
  deps: { registry: WorkspaceRegistry; snapshots: Pick<Snapshots, 'dropForked'>; log: Log },
  driver: Driver,
  { forkedFrom, spec }: WorkspaceRecord,
): Promise<void> {
  await dropForkImage(deps, driver, spec.image);
  const isLast = !deps.registry.all().some((each) => each.forkedFrom?.snapshot === forkedFrom?.snapshot);
  if (forkedFrom !== undefined && isLast) {
    await deps.snapshots.dropForked(forkedFrom.snapshot);
  }
}
