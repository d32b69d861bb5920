/** Snapshots of disks: images beside them, by shared blocks where the file system can, else by a copy with its holes. */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { chmod, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { BerthError } from '../../../../api/errors';
import type {
  SnapshotCheck,
  SnapshotFacts,
  SnapshotJob,
  SnapshotSeal,
  SnapshotStore,
  VerifyOptions,
} from '../../contract/snapshots';
import { AgentFiles } from '../../../files/agent/agent-files';
import { DiskAccess } from '../../../files/disk/disk-access';
import { ReadOnlyFiles } from '../../../files/unchangeable-files';
import type { VolumeFiles } from '../../../files/volume-files';
import { clearOrphans, makeFit } from '../../../ext4/fitness';
import { runE2fs } from '../../../ext4/e2fsprogs';
import type { Range } from '../../../ext4/punch-holes';
import { usedRanges } from '../../../ext4/used-ranges';
import { cloneFile } from '../../../machine/copies';
import { isErrno, makeFolder, removeTree } from '../../../machine/files';
import { freeBytesIn, takenBytes } from '../../../machine/free-space';
import { writeWhole } from '../../../machine/whole-file';
import { formatBytes, mebibyte } from '../../../../api/rules/sizes';
import type { HeldCopy } from '../parts';
import { copyDisk, usedBytes } from './disk-image';

const ending = '.ext4';
const checkTimeoutMs = 60 * 60_000;

/** `copy` makes a new file of the disk at `path` as it was at one moment. */
export type HeldWork<T> = (
  path: string,
  copy: (draft: string, job: SnapshotJob) => Promise<HeldCopy>,
) => Promise<T>;

/** What snapshots ask of the disks. */
export interface DiskOwner {
  /** Calls back with the path of a disk that nobody else has meanwhile, sound and closed. Throws `in_use`, `not_found`. */
  whileFree<T>(volume: string, work: (path: string) => Promise<T>): Promise<T>;
  /** The same, but of one that a runtime has: that is not ended for it. */
  whileThere<T>(volume: string, free: (path: string) => Promise<T>, held: HeldWork<T>): Promise<T>;
  /** It has another image, and perhaps another size, from now on. To be called within `whileFree`. */
  resized(volume: string, sizeMiB: number): Promise<void>;
}

interface Opened {
  access: DiskAccess;
  files: VolumeFiles;
}

export class DiskSnapshots implements SnapshotStore {
  private readonly opened = new Map<string, Opened>();

  constructor(
    /** Made when the first one is. */
    private readonly folder: string,
    private readonly disks: DiskOwner,
  ) {}

  async create(volume: string, id: string, job: SnapshotJob): Promise<SnapshotFacts> {
    return this.disks.whileThere(
      volume,
      (path) => this.keep(volume, path, id, job),
      (path, copy) => this.keepHeld(volume, id, path, (draft) => copy(draft, job)),
    );
  }

  async restore(
    id: string,
    volume: string,
    job: SnapshotJob,
    before?: { id: string; kept: (facts: SnapshotFacts) => Promise<void> },
  ): Promise<readonly string[]> {
    const from = await this.existing(id);
    await this.disks.whileFree(volume, async (path) => {
      if (before !== undefined) {
        await before.kept(await this.keep(volume, path, before.id, job));
      }
      const old = (await stat(path)).size;
      await inRoom(`${volume} was not restored, and is as it was`, () =>
        writeWhole(path, (draft) => copied(from, draft, job), { mode: 0o600 }),
      );
      const { size } = await stat(path);
      if (size !== old) {
        await this.disks.resized(volume, size / mebibyte);
      }
    });
    return [];
  }

  /** To be called within `whileFree`. */
  private async keep(volume: string, path: string, id: string, job: SnapshotJob): Promise<SnapshotFacts> {
    const began = performance.now();
    await makeFolder(this.folder);
    const write = async (draft: string): Promise<{ isShared: boolean; notes: string[] }> => {
      const isShared = await copied(path, draft, job);
      return { isShared, notes: await tidied(volume, draft) };
    };
    const { isShared, notes } = await inRoom(`No snapshot of ${volume} was made`, () =>
      writeWhole(this.fileOf(id), write, { mode: 0o600, ifPresent: 'refuse' }),
    );
    // Not before: who is not root could not open it to have it written to the disk.
    await chmod(this.fileOf(id), 0o400);
    const { size } = await stat(path);
    return {
      ...{ kind: 'disk', isShared, sizeMiB: size / mebibyte },
      usedBytes: await usedBytes(volume, path),
      heldMs: Math.round(performance.now() - began),
      ...(notes.length > 0 && { notes }),
    };
  }

  /** Of a disk that goes on changing. */
  private async keepHeld(
    volume: string,
    id: string,
    path: string,
    copy: (draft: string) => Promise<HeldCopy>,
  ): Promise<SnapshotFacts> {
    await makeFolder(this.folder);
    const file = this.fileOf(id);
    const write = async (draft: string): Promise<HeldCopy> => {
      await requireRoom(await takenBytes(path), dirname(draft));
      const made = await copy(draft);
      await makeFit(volume, draft);
      return { ...made, notes: [...made.notes, ...(await tidied(volume, draft))] };
    };
    const { heldMs, isShared, notes } = await inRoom(`No snapshot of ${volume} was made`, () =>
      writeWhole(file, write, { mode: 0o600, ifPresent: 'refuse' }),
    );
    await chmod(file, 0o400);
    return {
      ...{ kind: 'disk', isShared, heldMs, sizeMiB: (await stat(file)).size / mebibyte },
      usedBytes: await usedBytes(volume, file),
      ...(notes.length > 0 && { notes }),
    };
  }

  async remove(id: string): Promise<void> {
    const open = this.opened.get(id);
    this.opened.delete(id);
    await open?.files.close();
    await open?.access.close();
    await removeTree(this.fileOf(id));
  }

  async seal(id: string, job: SnapshotJob): Promise<SnapshotSeal> {
    return sealOf(await this.existing(id), job);
  }

  /** Without a seal from before, this is the one that later checks are held against. */
  async verify(id: string, { full, seal }: VerifyOptions, job: SnapshotJob): Promise<SnapshotCheck> {
    const path = await this.existing(id);
    const mark = await markOf(path);
    if (!full && seal?.mark !== undefined && seal.mark === mark) {
      return { checked: 1, read: 0, damaged: 0, problems: [], seal };
    }
    const { digest } = await sealOf(path, job);
    const since = seal === undefined ? new Date().toISOString() : seal.since;
    const known = since === undefined ? 'made' : `read at ${since}`;
    const problems = [
      ...(seal === undefined || seal.digest === digest ? [] : [`is not what it was when it was ${known}`]),
      ...(await brokenBy(path)),
    ].map((what) => ({ path: '/', what }));
    const damaged = problems.length > 0 ? 1 : 0;
    // What was damaged is read again each time.
    const next = {
      digest: seal?.digest ?? digest,
      ...(damaged === 0 && { mark }),
      ...(since !== undefined && { since }),
    };
    return { checked: 1, read: 1, damaged, problems, seal: next };
  }

  async heldBytes(id: string): Promise<number | undefined> {
    try {
      return await takenBytes(this.fileOf(id));
    } catch (error) {
      if (isErrno(error, 'ENOENT')) {
        return undefined;
      }
      throw error;
    }
  }

  async files(id: string): Promise<VolumeFiles> {
    const path = await this.existing(id);
    const known = this.opened.get(id) ?? this.open(id, path);
    this.opened.set(id, known);
    return known.files;
  }

  async close(): Promise<void> {
    for (const { files, access } of this.opened.values()) {
      await files.close();
      await access.close();
    }
    this.opened.clear();
  }

  private open(id: string, path: string): Opened {
    const volume = `snapshot ${id}`;
    const prepare = (): Promise<() => void> => Promise.resolve(() => undefined);
    const access = new DiskAccess({ volume, path, isReadOnly: true, prepare });
    const refusal = (): BerthError =>
      new BerthError('read_only', 'A snapshot never changes.', {
        hint: 'Copy files out of it, or restore it.',
      });
    return { access, files: new ReadOnlyFiles(new AgentFiles(access), refusal) };
  }

  private async existing(id: string): Promise<string> {
    if ((await this.heldBytes(id)) === undefined) {
      throw new BerthError('not_found', `There is no snapshot ${id}: ${this.fileOf(id)} is gone.`);
    }
    return this.fileOf(id);
  }

  private fileOf(id: string): string {
    return join(this.folder, id + ending);
  }
}

/** As long as it stays, nobody has written to the file. */
async function markOf(path: string): Promise<string> {
  const { dev, ino, size, ctimeNs } = await stat(path, { bigint: true });
  return [dev, ino, size, ctimeNs].join('.');
}

/** Of what its file system uses of the image, with where it is: of many GiB that has few files only these are read. */
async function sealOf(path: string, { signal, report }: SnapshotJob): Promise<SnapshotSeal> {
  const mark = await markOf(path);
  const { size } = await stat(path);
  const ranges = usedOr(path, [{ offset: 0, length: size }]);
  const total = ranges.reduce((sum, { length }) => sum + length, 0);
  const hash = createHash('sha256');
  let done = 0;
  for (const { offset, length } of ranges.filter((range) => range.length > 0)) {
    hash.update(`${offset} ${length} `);
    const end = offset + length - 1;
    for await (const chunk of createReadStream(path, {
      start: offset,
      end,
      highWaterMark: mebibyte,
      signal,
    })) {
      const bytes = chunk as Buffer;
      hash.update(bytes);
      report((done += bytes.length), total);
    }
  }
  return { digest: hash.digest('hex'), mark };
}

/** All of one that is too damaged to say what it uses. */
function usedOr(path: string, all: readonly Range[]): readonly Range[] {
  try {
    return usedRanges(path);
  } catch {
    return all;
  }
}

/** Without files that were deleted while they were open: for a check they are damage. Answers what is not mended, in words. */
async function tidied(volume: string, draft: string): Promise<string[]> {
  const problem = await clearOrphans(volume, draft);
  return problem === undefined ? [] : [problem];
}

/** What e2fsck finds wrong with its file system, changing nothing. */
async function brokenBy(path: string): Promise<string[]> {
  const { exitCode, output } = await runE2fs(
    'e2fsck',
    ['-f', '-n', path],
    'check a snapshot',
    checkTimeoutMs,
  );
  return exitCode === 0 ? [] : [`has errors in its file system: ${lastLine(output)}`];
}

function lastLine(output: string): string {
  return output.trim().split('\n').at(-1) ?? '';
}

/** Answers whether blocks are shared. */
async function copied(from: string, draft: string, job: SnapshotJob): Promise<boolean> {
  job.signal.throwIfAborted();
  if (await cloneFile(from, draft)) {
    return true;
  }
  await requireRoom(await takenBytes(from), dirname(draft));
  await copyDisk(from, draft, job);
  return false;
}

class NoRoom extends Error {}

/** For a copy: it is not begun where it can't end. */
async function requireRoom(wanted: number, folder: string): Promise<void> {
  const free = await freeBytesIn(folder);
  if (free < wanted) {
    throw new NoRoom(`it needs ${formatBytes(wanted)} at ${folder}, where ${formatBytes(free)} are free`);
  }
}

/** A disk of this machine that is full, before or while it is written to, in words. */
async function inRoom<T>(what: string, write: () => Promise<T>): Promise<T> {
  try {
    return await write();
  } catch (error) {
    if (error instanceof NoRoom || isErrno(error, 'ENOSPC', 'EDQUOT')) {
      const why = error instanceof NoRoom ? error.message : 'the disk of this machine is full';
      throw new BerthError('no_space', `${what}: ${why}.`, {
        hint: 'Make room there, or delete snapshots; then try again.',
        cause: error,
      });
    }
    throw error;
  }
}
