/**
 * How much of the time on the wall does not count towards the age of what is in the trash: a clock that is set ahead, by hand
 * or by a machine without a battery, would empty it at once. Between two looks a day counts at most.
 */
import { dirname } from 'node:path';
import { Type } from '@sinclair/typebox';
import type { Clock } from '../machine/clock';
import { makeFolder } from '../machine/files';
import { readRecord, writeRecord, type RecordFormat } from './records';

const dayMs = 24 * 3_600_000;
const Looked = Type.Object({
  /** When somebody looked last, in ms since 1970. */
  at: Type.Number(),
  skippedMs: Type.Number(),
});
const format: RecordFormat<typeof Looked> = { version: 1, schema: Looked, migrations: [] };

export class TrashTime {
  private at: number | undefined;
  private skipped = 0;

  constructor(
    private readonly path: string,
    private readonly clock: Clock,
  ) {}

  /** What has not counted so far. */
  get skippedMs(): number {
    return this.skipped;
  }

  /** What can't be read begins anew. */
  async load(): Promise<void> {
    const read = await readRecord(this.path, format);
    if (read.kind === 'ok') {
      [this.at, this.skipped] = [read.value.at, read.value.skippedMs];
    }
  }

  /** Counts what has passed since the last look. In memory also where it can't be written. */
  async look(): Promise<void> {
    const now = this.clock.now();
    const passed = now - (this.at ?? now);
    // Set back: what was ahead before did not count.
    const more = passed < 0 ? passed : Math.max(0, passed - dayMs);
    this.skipped = Math.max(0, this.skipped + more);
    this.at = now;
    await makeFolder(dirname(this.path));
    await writeRecord(this.path, format, { at: now, skippedMs: this.skipped });
  }
}
