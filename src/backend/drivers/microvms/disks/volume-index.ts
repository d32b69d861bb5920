/**
 * `volumes/index.json`, as microagent has it: `{"volumes":[{name,size_mib,created_at,attached_to}]}`, sorted by name.
 * The other fields are ours, there only when they say something.
 */
import { join } from 'node:path';
import { Type, type Static } from '@sinclair/typebox';
import { Value } from '@sinclair/typebox/value';
import { BerthError } from '../../../../api/errors';
import { makeFolder, readIfPresent } from '../../../machine/files';
import { replaceFile } from '../../../machine/whole-file';
import { KeyedLock } from '../../../machine/keyed-lock';
import { acquireLock } from '../../../machine/lock';
import { askFor } from '../../../machine/wait';

export const VolumeRow = Type.Object({
  name: Type.String(),
  size_mib: Type.Integer(),
  created_at: Type.String(),
  /** The workspace that has it; '' for none. */
  attached_to: Type.String(),
  runtime: Type.Optional(Type.String()),
  read_only: Type.Optional(Type.Boolean()),
  kind: Type.Optional(Type.Literal('directory')),
  labels: Type.Optional(Type.Record(Type.String(), Type.String())),
});
export type VolumeRow = Static<typeof VolumeRow>;
const Index = Type.Object({ volumes: Type.Array(VolumeRow) });

const lockTimeoutMs = 10_000;
const lockRetryMs = 20;

export class VolumeIndex {
  private readonly lock = new KeyedLock();

  constructor(readonly folder: string) {}

  get path(): string {
    return join(this.folder, 'index.json');
  }

  /** The disk or folder of a volume. */
  fileOf(row: Pick<VolumeRow, 'name' | 'kind'>): string {
    return join(this.folder, row.kind === 'directory' ? row.name : `${row.name}.ext4`);
  }

  /** All volumes. Throws `internal` for a list that is damaged. */
  async rows(): Promise<VolumeRow[]> {
    const text = await readIfPresent(this.path);
    const value = text === undefined ? { volumes: [] } : parse(text);
    if (!Value.Check(Index, value)) {
      throw new BerthError('internal', `The list of volumes is damaged: ${this.path}.`, {
        hint: 'Repair it or move it away; the disks themselves are beside it.',
      });
    }
    return value.volumes;
  }

  async find(name: string): Promise<VolumeRow | undefined> {
    return (await this.rows()).find((row) => row.name === name);
  }

  /** Changes the list, alone; what `edit` answers undefined for is not written. */
  change<T>(edit: (rows: VolumeRow[]) => Promise<[VolumeRow[] | undefined, T]>): Promise<T> {
    return this.lock.run('index', async () => {
      await makeFolder(this.folder);
      const lock = await this.acquire();
      try {
        const [rows, answer] = await edit(await this.rows());
        if (rows !== undefined) {
          const volumes = [...rows].sort((a, b) => (a.name < b.name ? -1 : 1));
          await replaceFile(this.path, `${JSON.stringify({ volumes }, undefined, 1)}\n`);
        }
        return answer;
      } finally {
        lock.release();
      }
    });
  }

  private async acquire(): Promise<{ release(): void }> {
    const options = { what: 'the list of volumes', timeoutMs: lockTimeoutMs, intervalMs: lockRetryMs };
    const lock = await askFor(() => acquireLock(`${this.path}.lock`), options);
    if (lock !== undefined) {
      return lock;
    }
    throw new BerthError('in_use', `The list of volumes is locked by another program: ${this.path}.lock.`, {
      hint: 'Wait until it has ended, then try again.',
    });
  }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
