/**
 * What is known of snapshots, a file for each: one is there as soon as its record is, and its data came before. A mark lies
 * there from before its data to after its record: data that has one and no record is of a making that was cut off. Any
 * other data is somebody's.
 */
import { join } from 'node:path';
import { Type, type Static } from '@sinclair/typebox';
import { Value } from '@sinclair/typebox/value';
import { Timestamp } from '../../api/common';
import { snapshotIdPattern } from '../../api/rules/names';
import { Snapshot } from '../../api/snapshots/schemas';
import { VolumeKind } from '../../api/volumes/schemas';
import { KeyedLock } from '../machine/keyed-lock';
import { makeFolder, namesIn, readIfPresent, removeTree } from '../machine/files';
import { replaceFile } from '../machine/whole-file';
import { readRecord, writeRecord, type RecordFormat } from './records';

/** A workspace, and not another one of its name. */
const SnapshotMaker = Type.Object({ name: Type.String(), createdAt: Timestamp });
export type SnapshotMaker = Static<typeof SnapshotMaker>;

/** What it holds is looked up each time. */
const SnapshotRecord = Type.Object({
  ...Type.Omit(Snapshot, ['heldBytes']).properties,
  /** The container engine that has its data. */
  engine: Type.Optional(Type.Object({ id: Type.String(), host: Type.String() })),
  /** Of one that was made by itself: the workspace that wanted it, which its policy is of. */
  by: Type.Optional(SnapshotMaker),
  /** Of a disk: what its image is held against. */
  seal: Type.Optional(
    Type.Object({
      digest: Type.String(),
      mark: Type.Optional(Type.String()),
      since: Type.Optional(Timestamp),
    }),
  ),
});
export type SnapshotRecord = Static<typeof SnapshotRecord>;
const format: RecordFormat<typeof SnapshotRecord> = { version: 1, schema: SnapshotRecord, migrations: [] };
const ending = '.json';
const mark = '.making';
const id = new RegExp(snapshotIdPattern);

const SnapshotPlace = Type.Object({
  kind: VolumeKind,
  /** Id of the container engine. */
  engine: Type.Optional(Type.String()),
});
/** Where the data of a snapshot is. */
export type SnapshotPlace = Static<typeof SnapshotPlace>;

export class SnapshotRecords {
  private readonly records = new Map<string, SnapshotRecord>();
  /** Records that could not be read: their data stays. */
  private readonly unreadable = new Set<string>();
  /** That an earlier engine has begun, and where their data is. */
  private readonly making = new Map<string, SnapshotPlace>();
  private readonly lock = new KeyedLock();

  constructor(private readonly folder: string) {}

  /** Before the data of a snapshot is made. */
  async begin(snapshot: string, place: SnapshotPlace): Promise<void> {
    await makeFolder(this.folder);
    await replaceFile(this.markOf(snapshot), JSON.stringify(place));
  }

  /** When there is no data of it. */
  async giveUp(snapshot: string): Promise<void> {
    await removeTree(this.markOf(snapshot));
    this.making.delete(snapshot);
  }

  /** Those whose making was cut off before this engine was started: their data is of no use. */
  cutOff(): ({ id: string } & SnapshotPlace)[] {
    return [...this.making]
      .map(([each, place]) => ({ id: each, ...place }))
      .filter((each) => !this.records.has(each.id) && !this.unreadable.has(each.id));
  }

  /** Answers files that could not be read, and why. */
  async load(): Promise<{ path: string; reason: string }[]> {
    const refused: { path: string; reason: string }[] = [];
    for (const file of await namesIn(this.folder)) {
      const name = file.slice(0, -ending.length);
      if (!file.endsWith(ending) || !id.test(name)) {
        await this.noteOther(file);
        continue;
      }
      const path = join(this.folder, file);
      const read = await readRecord(path, format);
      if (read.kind === 'ok') {
        this.records.set(name, read.value);
      } else if (read.kind === 'set-aside') {
        this.unreadable.add(name);
        refused.push({ path: read.movedTo ?? path, reason: read.reason });
      }
    }
    return refused;
  }

  /** Newest first. */
  of(volume: string): SnapshotRecord[] {
    return this.all().filter((record) => record.volume === volume);
  }

  /** Newest first. */
  all(): SnapshotRecord[] {
    return [...this.records.values()].sort(
      (a, b) => b.createdAt.localeCompare(a.createdAt) || b.id.localeCompare(a.id),
    );
  }

  get(snapshot: string): SnapshotRecord | undefined {
    return this.records.get(snapshot);
  }

  has(snapshot: string): boolean {
    return this.records.has(snapshot);
  }

  write(record: SnapshotRecord): Promise<void> {
    return this.lock.run(record.id, () => this.store(record));
  }

  /** Of one that is there; of one that was deleted meanwhile nothing comes back. */
  update(snapshot: string, change: (record: SnapshotRecord) => SnapshotRecord): Promise<void> {
    return this.lock.run(snapshot, async () => {
      const record = this.records.get(snapshot);
      await (record === undefined ? undefined : this.store(change(record)));
    });
  }

  private async store(record: SnapshotRecord): Promise<void> {
    await makeFolder(this.folder);
    await writeRecord(this.pathOf(record.id), format, record);
    this.records.set(record.id, record);
    await this.giveUp(record.id);
  }

  remove(snapshot: string): Promise<void> {
    return this.lock.run(snapshot, async () => {
      await removeTree(this.pathOf(snapshot));
      this.records.delete(snapshot);
    });
  }

  private pathOf(snapshot: string): string {
    return join(this.folder, snapshot + ending);
  }

  private markOf(snapshot: string): string {
    return join(this.folder, snapshot + mark);
  }

  /** What an earlier engine could not read, `ID.json.damaged-…`, and what it had begun. */
  private async noteOther(file: string): Promise<void> {
    const [name = ''] = file.split('.');
    if (id.test(name) && file.startsWith(`${name}${ending}.`)) {
      this.unreadable.add(name);
    } else if (id.test(name) && file === name + mark) {
      this.making.set(name, placeIn((await readIfPresent(join(this.folder, file))) ?? ''));
    }
  }
}

/** Marks of earlier versions are empty, and were of disks. */
function placeIn(text: string): SnapshotPlace {
  try {
    const place: unknown = JSON.parse(text);
    return Value.Check(SnapshotPlace, place) ? place : { kind: 'disk' };
  } catch {
    return { kind: 'disk' };
  }
}
