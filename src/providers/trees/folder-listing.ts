/** What the Volumes tree shows of folders: asked for when a folder is opened, a page at a time. */
import { BerthError, asBerthError, type FileEntry } from '../../api';
import type { EngineLink } from '../../ui/engine-link';
import { joinPath } from '../../api/rules/volume-path';
import { isDirectory, type VolumeRow } from './rows';

export const pageSize = 1_000;

const collator = new Intl.Collator(undefined, { numeric: true, sensitivity: 'base' });

/** Folders first, then by name, as the Explorer sorts. */
export function sortEntries(entries: readonly FileEntry[]): FileEntry[] {
  const rank = (entry: FileEntry): number => (isDirectory(entry) ? 0 : 1);
  return [...entries].sort((a, b) => rank(a) - rank(b) || collator.compare(a.name, b.name));
}

export class FolderListing {
  /** How many entries of a folder are shown, when more than a page. */
  private readonly shown = new Map<string, number>();
  /** What folders held when they were last listed. */
  private readonly last = new Map<string, VolumeRow[]>();

  constructor(private readonly link: EngineLink) {}

  /** Shows one page more the next time that the folder is listed. */
  showMore(volume: string, path: string): void {
    this.shown.set(key(volume, path), this.limit(volume, path) + pageSize);
  }

  /** Back to the first page everywhere. */
  reset(): void {
    this.shown.clear();
    this.last.clear();
  }

  /** `isChanging`: a failure is to be expected and passes, so that what was there last stays. */
  async rows(volume: string, path: string, isChanging: boolean): Promise<VolumeRow[]> {
    try {
      const rows = await this.list(volume, path);
      this.last.set(key(volume, path), rows);
      return rows;
    } catch (error) {
      const last = this.last.get(key(volume, path));
      if (isChanging && last !== undefined) {
        return last;
      }
      this.last.delete(key(volume, path));
      return [{ type: 'notice', volume, path, message: describeError(asBerthError(error)) }];
    }
  }

  private async list(volume: string, path: string): Promise<VolumeRow[]> {
    const client = await this.link.client();
    const limit = this.limit(volume, path);
    const listed = await client.call('files.list', { params: { volume }, query: { path, limit } });
    const rows: VolumeRow[] = sortEntries(listed.entries).map((entry) => ({
      type: 'file',
      volume,
      path: joinPath(path, entry.name),
      entry,
    }));
    if (listed.next !== undefined) {
      rows.push({ type: 'more', volume, path, shown: rows.length, total: listed.total });
    }
    return rows;
  }

  private limit(volume: string, path: string): number {
    return this.shown.get(key(volume, path)) ?? pageSize;
  }
}

const key = (volume: string, path: string): string => `${volume}:${path}`;

/** What happened, and what to do, in one text. */
export function describeError(error: BerthError): string {
  return error.hint === undefined ? error.message : `${error.message} ${error.hint}`;
}
