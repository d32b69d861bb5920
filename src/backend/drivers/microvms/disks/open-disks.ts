/** The disks whose files somebody looks at: opened by us while nobody has them, else reached through who has. */
import { BerthError } from '../../../../api/errors';
import { AgentFiles } from '../../../files/agent/agent-files';
import { DiskAccess } from '../../../files/disk/disk-access';
import { makeFit } from '../../../ext4/fitness';
import { lockImage } from '../../../files/disk/image-lock';
import type { VolumeFiles } from '../../../files/volume-files';
import { SwitchingFiles } from './switching-files';

export interface OpenDisksOptions {
  idleMs?: number;
  /** The runtime that has a volume now. */
  holderOf(volume: string): Promise<string | undefined>;
  liveFiles(runtime: string, volume: string): Promise<VolumeFiles>;
}

interface Disk {
  access: DiskAccess;
  stopped: AgentFiles;
  live: { runtime: string; files: VolumeFiles } | undefined;
  files: SwitchingFiles;
  /** Taken by whoever attaches or changes it: not to be opened. */
  isTaken: boolean;
}

export class OpenDisks {
  private readonly disks = new Map<string, Disk>();

  constructor(private readonly options: OpenDisksOptions) {}

  /** Nothing is opened before the first call that needs it. */
  files(volume: string, path: string): VolumeFiles {
    return this.of(volume, path).files;
  }

  /**
   * Lets go of an image, makes it fit for others, and opens it for nobody until the answer is called. Throws `in_use`
   * while files of it are being written.
   */
  async take(volume: string, path: string, waitMs: number): Promise<() => void> {
    const disk = this.of(volume, path);
    const back = (): void => {
      disk.isTaken = false;
      void disk.files.resume();
    };
    disk.isTaken = true;
    disk.files.pause();
    if (!(await disk.access.evict(waitMs))) {
      back();
      throw new BerthError('in_use', `Files of the volume ${volume} are being written.`, {
        hint: 'Wait until that has ended, or cancel it; then try again.',
      });
    }
    try {
      const unlock = await lockImage(volume, path);
      try {
        await makeFit(volume, path);
      } finally {
        unlock();
      }
      return back;
    } catch (error) {
      back();
      throw error;
    }
  }

  /** Somebody else has it from now on. */
  async switched(volume: string): Promise<void> {
    const disk = this.disks.get(volume);
    if (disk !== undefined) {
      const { live } = disk;
      disk.live = undefined;
      disk.files.switched();
      await live?.files.close().catch(() => undefined);
    }
  }

  /** It is no more. */
  async leave(volume: string): Promise<void> {
    const disk = this.disks.get(volume);
    if (disk !== undefined) {
      this.disks.delete(volume);
      disk.isTaken = true;
      await disk.files.close();
      await disk.stopped.close();
      await disk.access.close();
      await disk.live?.files.close().catch(() => undefined);
    }
  }

  async close(): Promise<void> {
    await Promise.all([...this.disks.keys()].map((volume) => this.leave(volume)));
  }

  private of(volume: string, path: string): Disk {
    const known = this.disks.get(volume);
    if (known !== undefined) {
      return known;
    }
    const { idleMs } = this.options;
    const access = new DiskAccess({
      ...{ volume, path, ...(idleMs !== undefined && { idleMs }) },
      prepare: () => this.prepare(volume, path),
    });
    const disk: Disk = {
      access,
      stopped: new AgentFiles(access),
      live: undefined,
      files: new SwitchingFiles(volume, () => this.current(volume, path)),
      isTaken: false,
    };
    this.disks.set(volume, disk);
    return disk;
  }

  /** While we have the image open nobody else has it: whoever attaches it takes it from us first. */
  private async current(volume: string, path: string): Promise<VolumeFiles> {
    const disk = this.of(volume, path);
    if (disk.access.isOpen) {
      return disk.stopped;
    }
    const runtime = await this.options.holderOf(volume);
    if (runtime === undefined) {
      return disk.stopped;
    }
    if (disk.live?.runtime !== runtime) {
      disk.live = { runtime, files: await this.options.liveFiles(runtime, volume) };
    }
    return disk.live.files;
  }

  private async prepare(volume: string, path: string): Promise<() => void> {
    if (this.disks.get(volume)?.isTaken !== false) {
      throw new BerthError('in_use', `The volume ${volume} is being attached, changed or copied just now.`, {
        hint: 'Try again when that is over.',
      });
    }
    if ((await this.options.holderOf(volume)) !== undefined) {
      throw new BerthError('in_use', `The volume ${volume} was just taken by a machine.`, {
        hint: 'Try again: its files are reached through that machine.',
      });
    }
    const unlock = await lockImage(volume, path);
    try {
      await makeFit(volume, path);
      return unlock;
    } catch (error) {
      unlock();
      throw error;
    }
  }
}
