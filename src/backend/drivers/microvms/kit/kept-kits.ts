/**
 * Each runtime's own names for the files of the guest kit that it was started with: what is saved of it fits no other
 * kit, and the cache may be cleared, or the kit be made anew, while it is paused.
 */
import { link, mkdir, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { mebibyte } from '../../../../api/rules/sizes';
import { isErrno, removeTree } from '../../../machine/files';
import type { Log } from '../../../machine/log';
import { holdsKit, kitContents, kitFiles, readAbout, writeAbout } from './kit-files';
import { copySparse } from '../../../machine/copies';
import { keepFile } from '../../../machine/publish';
import type { Launch, RuntimeRecord } from '../runtimes/runtime-record';
import type { RuntimeStore } from '../runtimes/runtime-store';

/** Of `st_blocks` in stat(2). */
const blockBytes = 512;

type Started = Pick<RuntimeRecord, 'plan' | 'launch'>;

export class KeptKits {
  constructor(
    private readonly store: RuntimeStore,
    private readonly log: Log,
  ) {}

  /** For one that is started: takes no room, or keeps nothing. */
  async link(record: Started): Promise<void> {
    await this.keep(record, () => Promise.reject(new TakesRoom())).catch((error: unknown) => {
      if (!(error instanceof TakesRoom)) {
        this.warn(record, error);
      }
    });
  }

  /** For one whose memory is saved: as a copy where there is no other way. */
  async ensure(record: Started): Promise<void> {
    try {
      await this.keep(record, copySparse);
      const bytes = await this.bytes(record);
      if (bytes > 0) {
        this.log.info(
          { name: record.plan.name, bytes },
          'a copy of the kernel is kept with a paused microVM',
        );
      }
    } catch (error) {
      this.warn(record, error);
    }
  }

  /** The folder with the very kit that it was started with; undefined when that is gone. */
  async find({ plan, launch }: Started): Promise<string | undefined> {
    if (launch === undefined) {
      return undefined;
    }
    for (const folder of [dirname(launch.kernel), this.folderOf(plan.name)]) {
      if (await holdsKit(folder, launch.kit)) {
        return folder;
      }
    }
    return undefined;
  }

  /** What its kit takes that nobody else has. */
  async bytes({ plan }: Pick<RuntimeRecord, 'plan'>): Promise<number> {
    const folder = this.folderOf(plan.name);
    const sizes = await Promise.all(
      kitContents.map(async (name) => {
        const found = await stat(join(folder, name)).catch(() => undefined);
        return found?.nlink === 1 ? found.blocks * blockBytes : 0;
      }),
    );
    return sizes.reduce((sum, size) => sum + size, 0);
  }

  /** For people; undefined while it takes no room. */
  async detailOf(record: Pick<RuntimeRecord, 'plan'>): Promise<string | undefined> {
    const bytes = await this.bytes(record);
    return bytes === 0
      ? undefined
      : `Its kernel (${Math.ceil(bytes / mebibyte)} MiB) is kept with it until it goes on.`;
  }

  /** For one that runs: a copy is of no use while the kit is where it was. */
  async dropCopy(record: Started): Promise<void> {
    const { launch } = record;
    if (launch !== undefined && (await this.bytes(record)) > 0) {
      await ((await holdsKit(dirname(launch.kernel), launch.kit)) ? this.drop(record.plan.name) : undefined);
    }
  }

  /** For one that was stopped: the next start takes the kit that there is then. */
  async drop(name: string): Promise<void> {
    await removeTree(this.folderOf(name));
  }

  private async keep(
    { plan, launch }: Started,
    copy: (from: string, to: string) => Promise<void>,
  ): Promise<void> {
    const folder = this.folderOf(plan.name);
    if (launch === undefined || (await holdsKit(folder, launch.kit))) {
      return;
    }
    await removeTree(folder);
    const source = dirname(launch.kernel);
    const about = (await holdsKit(source, launch.kit)) ? await readAbout(source) : undefined;
    if (about === undefined) {
      return;
    }
    try {
      await mkdir(folder, { mode: 0o700 });
      for (const name of kitContents) {
        await keepFile(join(source, name), join(folder, name), copy);
      }
      // Last: a kit without it is none. Of links it says what it says of the kit, with nothing to be waited for.
      await ((await isSame(source, folder))
        ? link(join(source, kitFiles.about), join(folder, kitFiles.about))
        : writeAbout(folder, about));
    } catch (error) {
      await removeTree(folder);
      throw error;
    }
  }

  private folderOf(name: string): string {
    return this.store.files.of(name).kit;
  }

  private warn({ plan }: Started, error: unknown): void {
    if (!isErrno(error, 'ENOENT')) {
      this.log.warn(
        { name: plan.name, error: String(error) },
        'the kernel of a microVM is in the cache alone: it can not go on without that',
      );
    }
  }
}

/** Names of the same files. */
async function isSame(one: string, other: string): Promise<boolean> {
  const [a, b] = await Promise.all([one, other].map((folder) => stat(join(folder, kitFiles.toolsDisk))));
  return a?.dev === b?.dev && a?.ino === b?.ino;
}

/** The kit is on another file system. */
class TakesRoom extends Error {}

/** The same machine with its kit from another folder. */
export function withKit(launch: Launch, folder: string): Launch {
  return {
    ...launch,
    kernel: join(folder, kitFiles.kernel),
    initrd: join(folder, kitFiles.initrd),
    disks: launch.disks.map((disk) =>
      disk.serial === 'tools' ? { ...disk, file: join(folder, kitFiles.toolsDisk) } : disk,
    ),
  };
}
