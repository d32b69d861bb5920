/**
 * Volumes that are not deleted until somebody takes their protection away, by their names: labels of volumes can't be
 * changed, so this list says it. Another volume that gets the name of one that went unseen is protected as well, and shown so.
 */
import { Type } from '@sinclair/typebox';
import { protectedVolume } from '../../api/rules/holder';
import type { Volume } from '../../api/volumes/schemas';
import { removeTree } from '../machine/files';
import { KeyedLock } from '../machine/keyed-lock';
import { readValue, writeRecord, type RecordFormat } from './records';

const List = Type.Object({ volumes: Type.Array(Type.String({ minLength: 1 })) });
const format: RecordFormat<typeof List> = { version: 1, schema: List, migrations: [] };

export class ProtectedVolumes {
  private names: ReadonlySet<string> = new Set();
  private readonly writes = new KeyedLock();

  constructor(private readonly path: string) {}

  /** Throws when a newer Berth wrote the list. */
  async load(): Promise<void> {
    const read = await readValue(this.path, format);
    this.names = new Set(read?.volumes);
  }

  /** The volume, with `protected` where it is. */
  shown(volume: Volume): Volume {
    return this.names.has(volume.name) ? { ...volume, protected: true } : volume;
  }

  /** Throws `illegal_state` for a volume that is protected, naming what to do. */
  refuse(name: string): void {
    if (this.names.has(name)) {
      throw protectedVolume(name);
    }
  }

  /** Resolves when it is on disk; what can't be written does not count. */
  set(name: string, isProtected: boolean): Promise<void> {
    return this.writes.run('', async () => {
      if (this.names.has(name) === isProtected) {
        return;
      }
      const names = [...this.names, name].filter((each) => isProtected || each !== name).sort();
      await (names.length === 0 ? removeTree(this.path) : writeRecord(this.path, format, { volumes: names }));
      this.names = new Set(names);
    });
  }
}
