/** Folders of a workspace as its shell sees them: what is mounted there shows as the volume that it is. */
import { asBerthError, type FileEntry, type FileLocation } from '../../api';
import type { EngineLink } from '../../ui/engine-link';
import { isFixedRoot } from '../files/fixed-roots';
import { joinPath } from '../../api/rules/volume-path';
import type { Store } from '../../ui/store';
import { describeError, type FolderListing } from './folder-listing';
import type { FileRow, Inside, VolumeRow } from './rows';

export class InsideListing {
  constructor(
    private readonly link: EngineLink,
    private readonly store: Store,
    private readonly listing: FolderListing,
  ) {}

  /** The rows of a folder; a failure is a row too. */
  async rows({ workspace, path }: Inside): Promise<VolumeRow[]> {
    try {
      const client = await this.link.client();
      const query = { path, follow: true };
      const location = await client.call('workspaces.locate', { params: { name: workspace }, query });
      const rows = await this.listing.rows(location.volume, location.path, false);
      return rows.map((row) => this.placed(row, { workspace, path }, location));
    } catch (error) {
      const message = describeError(asBerthError(error));
      return [
        { type: 'notice', volume: workspace, path, message, inside: { workspace, path, readOnly: false } },
      ];
    }
  }

  private placed(
    row: VolumeRow,
    folder: Pick<Inside, 'workspace' | 'path'>,
    location: FileLocation,
  ): VolumeRow {
    const readOnly = location.readOnly || isFixedRoot(this.store, location.volume);
    if (row.type === 'more' || row.type === 'notice') {
      return { ...row, inside: { ...folder, readOnly } };
    }
    if (row.type !== 'file') {
      return row;
    }
    const inside = { workspace: folder.workspace, path: joinPath(folder.path, row.entry.name), readOnly };
    const mount = location.mounts.find(({ path }) => path === row.entry.name);
    return mount === undefined ? { ...row, inside } : this.mounted({ ...row, inside }, inside, mount.volume);
  }

  /** What is no volume has nothing but the runtime to show it. */
  private mounted(row: FileRow, inside: Inside, volume: string | undefined): FileRow {
    if (volume === undefined) {
      return { ...row, inside: { ...inside, mounted: 'other' } };
    }
    const entry: FileEntry = { ...row.entry, type: 'directory' };
    const readOnly = this.isReadOnly(inside);
    return { ...row, entry, volume, path: '/', inside: { ...inside, readOnly, mounted: 'volume' } };
  }

  private isReadOnly({ workspace, path }: Inside): boolean {
    const mounts = this.store.workspace(workspace)?.spec.mounts ?? [];
    return mounts.some(({ target, readOnly }) => target.replace(/\/+$/, '') === path && readOnly);
  }
}
