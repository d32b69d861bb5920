/** Images of what runtimes have on their root disks, whether they are stopped, paused or run. */
import { BerthError } from '../../../../api/errors';
import { takenBytes } from '../../../machine/free-space';
import type { CommitPlan, PullProgress, RuntimeState } from '../../driver';
import type { LiveCopies } from '../live/live-copies';
import type { CommitFrom, RootImages } from '../parts';
import type { RuntimeRecord } from '../runtimes/runtime-record';
import type { RuntimeStore } from '../runtimes/runtime-store';
import type { Bases } from './bases';
import { convertDisk } from './convert';

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

  /** One that runs goes on meanwhile; others can be started again as soon as the disk was copied. */
  async commit(
    name: string,
    { image, without, warn }: CommitPlan,
    progress: (p: PullProgress) => void,
    signal: AbortSignal,
  ): Promise<string> {
    const { archive } = this.deps.images;
    if (archive === undefined) {
      throw new BerthError('not_supported', 'This engine has no image store for microVMs.');
    }
    const record = await this.deps.store.get(name);
    const { imageId, config } = record;
    const bytes = await takenBytes(this.deps.store.files.of(name).rootfs);
    const isStopped = (await this.deps.stateOf(record)) === 'stopped';
    const copyTo: CommitFrom['copyTo'] = isStopped
      ? (draft, options) => this.copyStopped(name, draft, options)
      : (draft, options) => this.copyLive(name, draft, { ...options, warn });
    return archive.commit({ name, imageId, config, without, bytes, copyTo }, image, { progress, signal });
  }

  private async copyStopped(name: string, draft: string, options: CopyOptions): Promise<void> {
    const { bases, store, qemuImg, whileStopped } = this.deps;
    await whileStopped(name, async (record) => {
      await bases.require(record);
      const disk = { path: store.files.of(name).rootfs, format: 'qcow2' } as const;
      await convertDisk(await qemuImg(), disk, draft, options);
    });
  }

  private async copyLive(
    name: string,
    draft: string,
    { report, signal, warn }: CopyOptions & Pick<CommitPlan, 'warn'>,
  ): Promise<void> {
    const share = (done: number, total: number): void => report(total === 0 ? 1 : done / total);
    const { notes } = await this.deps.live.ofRoot(name, draft, { signal, report: share });
    notes.forEach((note) => warn?.(note));
  }
}

type CopyOptions = Parameters<CommitFrom['copyTo']>[1];
