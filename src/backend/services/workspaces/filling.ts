/** What a workspace is made with that has its files from somewhere else: a fork, an import, what was in the trash. */
import { BerthError } from '../../../api/errors';
import { ownVolumesOf } from '../../../api/workspaces/own-volumes';
import type { OperationContext } from '../operations/operation-context';
import type { WorkspaceRecord } from './record';
import type { WorkspaceRegistry } from './registry';

/** How a workspace comes to files before its first start. */
export interface Filling {
  /** Of its record, beside what every create notes. */
  record: Pick<WorkspaceRecord, 'cloned' | 'forkedFrom' | 'fromTrash'>;
  /** What it is, for people; a fork if absent. */
  what?: 'import' | 'restore';
  /** Brings the image of the spec, where that comes with the files. */
  bringImage?: (context: OperationContext) => Promise<void>;
  /** Makes volumes of names that are free, and notes each in `createdVolumes` before. */
  makeVolumes(context: OperationContext): Promise<void>;
  /** When the runtime is there, with its own volumes; nothing runs. */
  fill(context: OperationContext): Promise<void>;
}

/** A volume that was made for it goes with it until it is filled. Several may be made side by side. */
export async function noteMade(
  registry: WorkspaceRegistry,
  name: string,
  volume: string,
  patch: Partial<WorkspaceRecord> = {},
): Promise<void> {
  const { createdVolumes } = registry.get(name);
  await registry.update(name, { createdVolumes: [...createdVolumes, volume], ...patch });
}

/** Where one of its volumes is there already. */
export const newNameHints = {
  temporary: 'Choose another name for a temporary workspace.',
  fork: 'Choose another name for a fork.',
  import: 'Choose another name for it: `--name`.',
  restore: 'Restore it under another name: `--name`.',
};

/** What somebody has made since it began is not written over. Throws `exists`. */
export function refuseNotMade(record: WorkspaceRecord, { what }: Pick<Filling, 'what'>): void {
  const foreign = ownVolumesOf(record).find((volume) => !record.createdVolumes.includes(volume));
  if (foreign !== undefined) {
    throw new BerthError('exists', `There is a volume ${foreign} already: it would be written over.`, {
      field: 'name',
      hint: newNameHints[what ?? 'fork'],
    });
  }
}
