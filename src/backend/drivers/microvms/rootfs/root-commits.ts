/** Images of what runtimes have on their root disks, whether they are stopped, paused or run. */
import { BerthError } from '../../../../api/errors';
import { takenBytes } from '../../../machine/free-space';
import type { CommitPlan, PullProgress, RuntimeState } from '../../driver';
import type { LiveCopies } from '../live/live-copies';
import type { CommitFrom, RootImages } from '../parts';
import type { RuntimeRecord } from '../runtimes/runtime-record';
import type { RuntimeStore } from '../runtimes/runtime-store';
import type { Bases } from './bases';
import { convertDisk, copyOverlay } from './convert';

export interface RootCommitsDeps {
  store: RuntimeStore;
  bases: Bases;
  images: RootImages;
  live: Pick<LiveCopies, 'ofRoot'>;
  qemuImg: () => Promise<string>;
  stateOf: (record: RuntimeRecord) => Promise<RuntimeState>;
  /** Calls back while the runtime is stopped and stays so; throws when it is not. */
  whileStopped: (name: string, work: (record: RuntimeRecord) => Promise<void>) => Promise<void>;
}

export class RootCommits {
  constructor(private readonly deps: RootCommitsDeps) {}

  /**
   * One that runs goes on meanwhile; others can be started again as soon as the disk was copied. Throws `not_supported`
   * without a store for images.
   */
  async commit(
    name: string,
    { image, without, warn, isLocal = false }: CommitPlan,
    progress: (p: PullProgress) => void,
    signal: AbortSignal,
  ): Promise<string> {
    const { archive } = this.deps.images;
    if (archive === undefined) {
      throw new BerthError('not_supported', 'This engine has no image store for microVMs.');
    }
    const record = await this.deps.store.get(name);
    const { imageId, config } = record;
    const { rootfs, base } = this.deps.store.files.of(name);
    const bytes = await takenBytes(rootfs);
    const isStopped = (await this.deps.stateOf(record)) === 'stopped';
    const copyAs =
      (isLayer: boolean): CommitFrom['copyTo'] =>
      (draft, options) =>
        isStopped
          ? this.copyStopped(name, draft, { ...options, isLayer })
          : this.copyLive(name, draft, { ...options, warn, isLayer });
    const layer = { base, copyTo: copyAs(true) };
    const from = { name, imageId, config, without, bytes, copyTo: copyAs(false), layer, isLocal };
    return archive.commit(from, image, { progress, signal });
  }

  private async copyStopped(
    name: string,
    draft: string,
    { isLayer, ...options }: CopyOptions & { isLayer: boolean },
  ): Promise<void> {
    const { bases, store, qemuImg, whileStopped } = this.deps;
    await whileStopped(name, async (record) => {
      await bases.require(record);
      const { rootfs: path, base } = store.files.of(name);
      const disk = { path, format: 'qcow2' } as const;
      await (isLayer
        ? copyOverlay(await qemuImg(), disk, base, draft, options)
        : convertDisk(await qemuImg(), disk, draft, options));
    });
  }

  private async copyLive(
    name: string,
    draft: string,
    { report, signal, warn, isLayer }: CopyOptions & Pick<CommitPlan, 'warn'> & { isLayer: boolean },
  ): Promise<void> {
    const share = (done: number, total: number): void => report(total === 0 ? 1 : done / total);
    const job = { signal, report: share };
    const { notes } = await this.deps.live.ofRoot(name, draft, job, { isLayer });
    notes.forEach((note) => warn?.(note));
  }
}

type CopyOptions = Parameters<CommitFrom['copyTo']>[1];
