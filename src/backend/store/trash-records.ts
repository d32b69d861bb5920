/**
 * What is known of the trash, a file for each item. It is written before anything is made for it (`making`), becomes `kept` when all
 * that it needs is there, and `going` before anything of it is removed: an engine that was killed leaves nothing that looks whole and
 * is not.
 */
import { join } from 'node:path';
import { Type, type Static } from '@sinclair/typebox';
import { literals } from '../../api/common';
import { snapshotIdPattern } from '../../api/rules/names';
import { TrashedVolume, TrashItem } from '../../api/trash/schemas';
import { ForkOrigin } from '../../api/workspaces/fork';
import { WorkspaceSpec } from '../../api/workspaces/schemas';
import { makeFolder, namesIn, removeTree } from '../machine/files';
import { readRecord, writeRecord, type RecordFormat } from './records';

/** What a workspace was, without its secrets. */
const TrashedWorkspace = Type.Object({
  label: Type.String(),
  tags: Type.Optional(Type.Array(Type.String())),
  favourite: Type.Optional(Type.Boolean()),
  spec: WorkspaceSpec,
  cloned: Type.Boolean(),
  homeVolume: Type.String(),
  dockerVolume: Type.Optional(Type.String()),
  forkedFrom: Type.Optional(ForkOrigin),
  keptImage: Type.Optional(Type.String()),
});
export type TrashedWorkspace = Static<typeof TrashedWorkspace>;

const TrashRecord = Type.Object({
  ...Type.Omit(TrashItem, ['expiresAt', 'usedBytes', 'volumes']).properties,
  volumes: Type.Array(
    Type.Object({
      ...TrashedVolume.properties,
      /** Of a disk. */
      sizeMiB: Type.Optional(Type.Integer()),
      labels: Type.Optional(Type.Record(Type.String(), Type.String())),
    }),
  ),
  state: literals(['making', 'kept', 'going']),
  /** What had not counted of the time when it was deleted: see `trash-time.ts`. */
  skippedMs: Type.Optional(Type.Number()),
  workspace: Type.Optional(TrashedWorkspace),
  /** A restore under that name has begun. */
  restoring: Type.Optional(
    Type.Object({
      name: Type.String(),
      /** The id of the volume that it has made, which tells it from others of that name. */
      made: Type.Optional(Type.String()),
      /** Of what the workspace had outside of volumes nothing can be made. */
      withoutImage: Type.Optional(Type.Boolean()),
    }),
  ),
});
export type TrashRecord = Static<typeof TrashRecord>;

const format: RecordFormat<typeof TrashRecord> = { version: 1, schema: TrashRecord, migrations: [] };
const ending = '.json';
const isId = new RegExp(snapshotIdPattern);

export class TrashRecords {
  private readonly records = new Map<string, TrashRecord>();
  /** Some could not be read: nobody knows which snapshots they have. */
  hasUnreadable = false;

  constructor(private readonly folder: string) {}

  /** Answers files that could not be read, and why. */
  async load(): Promise<{ path: string; reason: string }[]> {
    const refused: { path: string; reason: string }[] = [];
    for (const file of await namesIn(this.folder)) {
      const id = file.slice(0, -ending.length);
      const path = join(this.folder, file);
      if (!file.endsWith(ending) || !isId.test(id)) {
        this.hasUnreadable ||= file.includes(`${ending}.damaged-`);
        continue;
      }
      const read = await readRecord(path, format);
      if (read.kind === 'ok' && read.value.id === id) {
        this.records.set(id, read.value);
      } else {
        this.hasUnreadable = true;
        const reason = read.kind === 'set-aside' ? read.reason : 'It is that of another item.';
        refused.push({ path: (read.kind === 'set-aside' ? read.movedTo : undefined) ?? path, reason });
      }
    }
    return refused;
  }

  /** Newest first. */
  all(): TrashRecord[] {
    return [...this.records.values()].sort(
      (a, b) => b.deletedAt.localeCompare(a.deletedAt) || b.id.localeCompare(a.id),
    );
  }

  get(id: string): TrashRecord | undefined {
    return this.records.get(id);
  }

  /** Counts in memory also where it can't be written. */
  async write(record: TrashRecord): Promise<void> {
    this.records.set(record.id, record);
    await makeFolder(this.folder);
    await writeRecord(join(this.folder, record.id + ending), format, record);
  }

  async remove(id: string): Promise<void> {
    await removeTree(join(this.folder, id + ending));
    this.records.delete(id);
  }
}
