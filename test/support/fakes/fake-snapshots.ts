import type { SnapshotFacts, SnapshotStore } from '../../../src/backend/drivers/contract/snapshots';
import type { VolumeKind } from '../../../src/api/volumes/schemas';
import { BerthError } from '../../../src/api/errors';
import { FakeFiles } from './fake-files';
import type { Act } from './fake-images';

/** Snapshots in memory. Their files are the text that `volumes` has for a volume. */
export class FakeSnapshots implements SnapshotStore {
  readonly known = new Map<string, string>();

  constructor(
    private readonly act: Act,
    /** What is in each volume. */
    readonly volumes: Map<string, string>,
    private readonly kindOf: (volume: string) => VolumeKind = () => 'docker',
  ) {}

  async create(volume: string, id: string): Promise<SnapshotFacts> {
    await this.act('snapshots.create', volume);
    this.known.set(id, this.volumes.get(volume) ?? '');
    return { kind: this.kindOf(volume), usedBytes: 5, isShared: false, heldMs: 0 };
  }

  async restore(id: string, volume: string): Promise<readonly string[]> {
    await this.act('snapshots.restore', volume);
    const files = this.known.get(id);
    if (files === undefined) {
      throw new BerthError('not_found', `There is no snapshot ${id}.`);
    }
    this.volumes.set(volume, files);
    return [];
  }

  async remove(id: string): Promise<void> {
    await this.act('snapshots.remove', id);
    this.known.delete(id);
  }

  heldBytes(id: string): Promise<number | undefined> {
    return Promise.resolve(this.known.has(id) ? 5 : undefined);
  }

  verify(): Promise<{ checked: number; read: number; damaged: number; problems: [] }> {
    return Promise.resolve({ checked: 1, read: 1, damaged: 0, problems: [] });
  }

  files(id: string): Promise<FakeFiles> {
    return Promise.resolve(new FakeFiles(id));
  }
}
