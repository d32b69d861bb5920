/**
 * The root file systems of microVMs that do not run, to be read. A raw copy is made of a disk when somebody looks, its
 * journal is replayed there, and it goes when nobody has looked for a while: the disk itself stays as the guest left it.
 */
import { rm, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { BerthError } from '../../../../api/errors';
import { rootFilesOf } from '../../../../api/rules/root-files';
import { mebibyte } from '../../../../api/rules/sizes';
import { AgentFiles } from '../../../files/agent/agent-files';
import { DiskAccess } from '../../../files/disk/disk-access';
import { makeFit } from '../../../ext4/fitness';
import { ReadOnlyFiles } from '../../../files/unchangeable-files';
import type { VolumeFiles } from '../../../files/volume-files';
import { draftOf } from '../../../machine/drafts';
import { freeBytesIn, takenBytes } from '../../../machine/free-space';
import type { Bases } from './bases';
import { convertDisk } from './convert';
import type { RuntimeRecord } from '../runtimes/runtime-record';
import type { RuntimeStore } from '../runtimes/runtime-store';

const copyTimeoutMs = 10 * 60_000;
/** Of the disk that the copy is made on: what microVMs that run write there meanwhile must find room. */
const reserveBytes = 512 * mebibyte;

export interface StoppedRootsDeps {
  store: RuntimeStore;
  bases: Bases;
  qemuImg: () => Promise<string>;
  /** Calls back while the runtime is stopped and stays so; throws when it is not. */
  whileStopped: (name: string, work: (record: RuntimeRecord) => Promise<void>) => Promise<void>;
  /** Bytes that are free in a folder; by default, what the file system says. */
  freeBytes?: (folder: string) => Promise<number>;
}

interface Root {
  /** Of the disk that the copy is of. */
  stamp: string;
  files: VolumeFiles;
  access: DiskAccess;
  /** Settles when no copy is left. */
  removed: Promise<void>;
}

export class StoppedRoots {
  private readonly roots = new Map<string, Root>();
  /** Copies in the making, by the runtimes whose lock they hold or wait for. */
  private readonly copying = new Map<string, AbortController>();

  constructor(private readonly deps: StoppedRootsDeps) {}

  /** Nothing is copied before the first call that needs it. */
  async files(record: RuntimeRecord): Promise<VolumeFiles> {
    const { name } = record.plan;
    const stamp = await this.stampOf(name);
    const known = this.roots.get(name);
    if (known?.stamp === stamp) {
      return known.files;
    }
    await this.forget(name);
    const root = this.open(record, stamp);
    this.roots.set(name, root);
    return root.files;
  }

  /** For what is to be done with a runtime now: it waits for no copy of a large disk. */
  giveWay(name: string): void {
    this.copying.get(name)?.abort();
  }

  /** It was removed: its copy goes as well. */
  async forget(name: string): Promise<void> {
    this.giveWay(name);
    const root = this.roots.get(name);
    this.roots.delete(name);
    await root?.files.close();
    await root?.access.close();
    await root?.removed;
  }

  async close(): Promise<void> {
    await Promise.all([...this.roots.keys()].map((name) => this.forget(name)));
  }

  private open({ plan }: RuntimeRecord, stamp: string): Root {
    const { name, workspace } = plan;
    const volume = rootFilesOf(workspace);
    const copy = draftOf(this.deps.store.files.of(name).rootfs);
    const root = { removed: Promise.resolve() };
    const prepare = async (): Promise<() => void> => {
      await this.copy(name, volume, copy);
      return () => void (root.removed = rm(copy, { force: true }).catch(() => undefined));
    };
    const access = new DiskAccess({ volume, path: copy, prepare });
    const files = new ReadOnlyFiles(new AgentFiles(access), () => {
      const what = `${workspace} does not run: what it has outside of its volumes can be read, not changed.`;
      return new BerthError('illegal_state', what, { hint: `Start it: \`berth start ${workspace}\`.` });
    });
    return Object.assign(root, { stamp, files, access });
  }

  private async copy(name: string, volume: string, copy: string): Promise<void> {
    const { store, bases, qemuImg, whileStopped } = this.deps;
    const given = new AbortController();
    this.copying.set(name, given);
    const signal = AbortSignal.any([given.signal, AbortSignal.timeout(copyTimeoutMs)]);
    const options = { report: () => undefined, signal, isScratch: true };
    try {
      await whileStopped(name, async (record) => {
        await bases.require(record);
        const { rootfs: path, base } = store.files.of(name);
        await this.requireRoom(volume, [path, base]);
        await convertDisk(await qemuImg(), { path, format: 'qcow2' }, copy, options);
      });
      await makeFit(volume, copy);
    } catch (error) {
      await rm(copy, { force: true });
      throw given.signal.aborted ? gaveWay(name) : error;
    } finally {
      if (this.copying.get(name) === given) {
        this.copying.delete(name);
      }
    }
  }

  /** For a copy of what these files have in all. */
  private async requireRoom(volume: string, paths: [string, string]): Promise<void> {
    const { freeBytes = freeBytesIn } = this.deps;
    const wanted = reserveBytes + (await takenBytes(...paths));
    if ((await freeBytes(dirname(paths[0]))) < wanted) {
      throw new BerthError('no_space', `There is no room for the copy in which ${volume} is read.`, {
        hint: `Make ${Math.ceil(wanted / mebibyte)} MiB free at ${dirname(paths[0])}, or start the workspace: then none is needed.`,
      });
    }
  }

  private async stampOf(name: string): Promise<string> {
    const { ino, size, mtimeNs } = await stat(this.deps.store.files.of(name).rootfs, { bigint: true });
    return `${ino} ${size} ${mtimeNs}`;
  }
}

function gaveWay(name: string): BerthError {
  return new BerthError(
    'illegal_state',
    `The disk of ${name} was not read: something else is done with it.`,
    {
      hint: 'Try again when that is over.',
    },
  );
}
