/** What is known of snapshots, a file for each: one is there as soon as its record is, and its data came before. */
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { Type, type Static } from '@sinclair/typebox';
import { snapshotIdPattern } from '../../api/rules/names';
import { Snapshot } from '../../api/snapshots/schemas';
import { makeFolder, namesIn } from '../machine/files';
import { readRecord, writeRecord, type RecordFormat } from './records';

/** What it holds is looked up each time. */
const SnapshotRecord = Type.Omit(Snapshot, ['heldBytes']);
export type SnapshotRecord = Static<typeof SnapshotRecord>;
const format: RecordFormat<typeof SnapshotRecord> = { version: 1, schema: SnapshotRecord, migrations: [] };
const ending = '.json';
const id = new RegExp(snapshotIdPattern);

export class SnapshotRecords {
  private readonly records = new Map<string, SnapshotRecord>();
  /** Records that could not be read: their data stays. */
  private readonly unreadable = new Set<string>();

  constructor(private readonly folder: string) {}

  /** Answers files that could not be read, and why. */
  async load(): Promise<{ path: string; reason: string }[]> {
    const refused: { path: string; reason: string }[] = [];
    for (const file of await namesIn(this.folder)) {
      const name = file.slice(0, -ending.length);
      if (!file.endsWith(ending) || !id.test(name)) {
        this.noteSetAside(file);
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
    return [...this.records.values()]
      .filter((record) => record.volume === volume)
      .sort((a, b) => b.createdAt.localeCompare(a.createdAt) || b.id.localeCompare(a.id));
  }

  /** Whether data of that id may be somebody's. */
  knows(snapshot: string): boolean {
    return this.records.has(snapshot) || this.unreadable.has(snapshot);
  }

  async write(record: SnapshotRecord): Promise<void> {
    await makeFolder(this.folder);
    await writeRecord(this.pathOf(record.id), format, record);
    this.records.set(record.id, record);
  }

  async remove(snapshot: string): Promise<void> {
    await rm(this.pathOf(snapshot), { force: true });
    this.records.delete(snapshot);
  }

  private pathOf(snapshot: string): string {
    return join(this.folder, snapshot + ending);
  }

  /** What an earlier engine could not read: `ID.json.damaged-…`. */
  private noteSetAside(file: string): void {
    const [name = ''] = file.split('.');
    if (id.test(name) && file.startsWith(`${name}${ending}.`)) {
      this.unreadable.add(name);
    }
  }
}
