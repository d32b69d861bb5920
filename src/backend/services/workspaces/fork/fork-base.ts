/** What forks began with: a snapshot and perhaps an image, which go with the last of them. */
import type { Driver } from '../../../drivers/driver';
import type { Log } from '../../../machine/log';
import type { Snapshots } from '../../snapshots/snapshots';
import type { WorkspaceRecord } from '../record';
import type { WorkspaceRegistry } from '../registry';
import type { ForkBases } from './bases';
import { dropForkImage } from './fork-image';

export interface ForkBaseDeps {
  registry: WorkspaceRegistry;
  snapshots: Pick<Snapshots, 'dropForked'>;
  bases: ForkBases;
  log: Log;
}

/** To be called when a workspace has gone, or forks could not be made. Never fails. */
export async function dropForkBase(
  deps: ForkBaseDeps,
  driver: Driver,
  { forkedFrom, spec, keptImage }: Pick<WorkspaceRecord, 'forkedFrom' | 'spec' | 'keptImage'>,
): Promise<void> {
  await dropForkImage(deps, driver, spec.image);
  if (keptImage !== undefined) {
    await dropForkImage(deps, driver, keptImage);
  }
  if (forkedFrom !== undefined && !isBase(deps, forkedFrom.snapshot)) {
    await deps.snapshots.dropForked(forkedFrom.snapshot);
  }
}

/** Whether a fork has begun with that snapshot, or is about to. */
export function isBase(
  { registry, bases }: Pick<ForkBaseDeps, 'registry' | 'bases'>,
  snapshot: string,
): boolean {
  return bases.isHeld(snapshot) || registry.all().some(({ forkedFrom }) => forkedFrom?.snapshot === snapshot);
}
