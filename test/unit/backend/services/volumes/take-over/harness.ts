/** What tests of changes that are taken over share. */
import type { Change } from '../../../../../../src/api/files/compare';
import type { TakenChange } from '../../../../../../src/api/files/take-over';
import type { VolumeFiles } from '../../../../../../src/backend/files/volume-files';
import { Comparison } from '../../../../../../src/backend/services/volumes/compare/compare';

/** All that two volumes differ in. */
export async function compare(before: VolumeFiles, after: VolumeFiles): Promise<Change[]> {
  const changes: Change[] = [];
  const compared = {
    before: { files: before, path: '/' },
    after: { files: after, path: '/' },
    isOneVolume: false,
  };
  const report = (event: object): Promise<void> => {
    changes.push(...('changes' in event ? (event.changes as Change[]) : []));
    return Promise.resolve();
  };
  await new Comparison(compared, report, new AbortController().signal).run();
  return changes;
}

/** From after to before: the fork's changes to its source. */
export const backwards = (changes: readonly Change[]): TakenChange[] =>
  changes.map(({ path, before, after }) => ({
    path,
    ...(after !== undefined && { from: after }),
    ...(before !== undefined && { to: before }),
  }));

/** The same files, but for some methods. */
export const but = (files: VolumeFiles, other: Partial<VolumeFiles>): VolumeFiles =>
  Object.assign(Object.create(files) as VolumeFiles, other);
