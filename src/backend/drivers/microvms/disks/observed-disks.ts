/** Disks that tell what happens to them: unlike a container engine's volumes, nobody else has events of them. */
import type { Volume, VolumeCreate } from '../../../../api/volumes/schemas';
import type { VolumeFiles, VolumeUsage } from '../../../files/volume-files';
import type { SnapshotStore } from '../../contract/snapshots';
import type { DriverEvent } from '../../driver';
import type { DiskHolder, DiskStore } from '../parts';

type VolumeVerb = (DriverEvent & { type: 'volume' })['what'];

export class ObservedDisks implements DiskStore {
  constructor(
    private readonly disks: DiskStore,
    private readonly report: (event: DriverEvent) => void,
  ) {}

  get snapshots(): SnapshotStore | undefined {
    return this.disks.snapshots;
  }

  list(): Promise<Volume[]> {
    return this.disks.list();
  }

  inspect(name: string): Promise<Volume | undefined> {
    return this.disks.inspect(name);
  }

  async create(spec: VolumeCreate): Promise<Volume> {
    const volume = await this.disks.create(spec);
    this.happened(spec.name, 'created');
    return volume;
  }

  async remove(name: string): Promise<void> {
    await this.disks.remove(name);
    this.happened(name, 'removed');
  }

  resize(name: string, sizeMiB: number): Promise<Volume> {
    return this.disks.resize(name, sizeMiB);
  }

  files(name: string): Promise<VolumeFiles> {
    return this.disks.files(name);
  }

  usage(name: string, signal: AbortSignal): Promise<VolumeUsage> {
    return this.disks.usage(name, signal);
  }

  async attach(volume: string, holder: DiskHolder): Promise<string> {
    const path = await this.disks.attach(volume, holder);
    this.happened(volume, 'attached');
    return path;
  }

  async attachMounted(volume: string, holder: DiskHolder): Promise<string> {
    const path = await this.disks.attachMounted(volume, holder);
    this.happened(volume, 'attached');
    return path;
  }

  attachImage(path: string, holder: DiskHolder): Promise<string> {
    return this.disks.attachImage(path, holder);
  }

  checkImage(path: string, holder: DiskHolder): Promise<void> {
    return this.disks.checkImage(path, holder);
  }

  /** The events of their runtime say of which volumes. */
  release(holder: { runtime: string }): Promise<void> {
    return this.disks.release(holder);
  }

  close(): Promise<void> {
    return this.disks.close();
  }

  private happened(name: string, what: VolumeVerb): void {
    this.report({ type: 'volume', name, what });
  }
}
