/**
 * Fills a new, empty file system, folder by folder. Nobody else sees the image until it is finished, so there are no
 * transactions: blocks are written in the order in which they are given out, tables every now and then. All is
 * synchronous, and nothing of what comes in is ever parsed: names, targets and values are bytes.
 */
import { closeSync } from 'node:fs';
import { encodeName } from '../../../machine/file-names';
import { DirectLog } from '../../../ext4/direct-log';
import { fileType, type Inode } from '../../../ext4/structures/inode';
import { putTarget, maxTargetBytes } from '../../../ext4/link-target';
import { newInode, openImage, Parts } from '../../../ext4/parts';
import { ContentCopier } from './content-copier';
import type { Child, FolderStep, NewInode } from './steps';
import { leaveOut, type LeftOut } from '../../../tar/losses';

const rootInode = 2;
const rootId = 0;
const lostAndFound = 'lost+found';
const maxLinks = 65_000;
/** Changed blocks that are gathered before they are written. */
const maxChanges = 4096;

interface Folder {
  inode: Inode;
  made: NewInode;
  parent: number;
  entries: (readonly [name: Buffer, inode: number, type: number])[];
  subfolders: number;
}

interface Made {
  inode: number;
  type: number;
  links: number;
}

export class Filler {
  readonly leftOut: LeftOut = { lines: [], more: 0 };
  private readonly folders = new Map<number, Folder>();
  private readonly known = new Map<number, Made>();
  private readonly copier: ContentCopier;
  private lost: number | undefined;

  private constructor(
    private readonly file: number,
    private readonly parts: Parts,
    contents: string,
    alive: () => void,
  ) {
    this.copier = new ContentCopier(contents, parts.device, parts.allocator, alive);
  }

  /** `contents`: the file that pieces of files are in. */
  static open(image: string, contents: string, alive: () => void): Filler {
    return openImage(image, (file, superblock) => {
      const parts = new Parts(file, superblock, new DirectLog(file));
      return new Filler(file, parts, contents, alive);
    });
  }

  /** Plants a folder. Throws when the one that it is in has not come yet. */
  take(step: FolderStep): void {
    if (step.made !== undefined) {
      this.beginRoot(step.made);
    }
    const folder = this.folders.get(step.id);
    if (folder === undefined) {
      throw new Error('a folder comes before the one that it is in');
    }
    for (const child of step.children) {
      this.add(folder, child, `${step.path}/${child.name}`);
      if (this.parts.device.changes >= maxChanges) {
        this.parts.commit();
      }
    }
    if (step.isLast) {
      this.finishFolder(folder, step.path);
      this.folders.delete(step.id);
    }
  }

  /** Makes all of it last. */
  end(): void {
    this.parts.commit();
    this.parts.device.close();
  }

  close(): void {
    this.copier.close();
    closeSync(this.file);
  }

  private beginRoot(made: NewInode): void {
    const inode = this.parts.inodes.read(rootInode);
    this.lost = this.parts.directories.names(inode).get(lostAndFound)?.inode;
    const entries: Folder['entries'] =
      this.lost === undefined ? [] : [[Buffer.from(lostAndFound), this.lost, this.entryType(2)]];
    const subfolders = entries.length;
    this.folders.set(rootId, { inode, made, parent: rootInode, entries, subfolders });
  }

  private add(folder: Folder, { name, id, made }: Child, path: string): void {
    if (this.lost !== undefined && folder.inode.number === rootInode && name === lostAndFound) {
      this.adoptLost(id, made, path);
    } else if (made === undefined) {
      this.link(folder, name, id, path);
    } else if (made.kind === 'directory') {
      const inode = this.begin(folder, made);
      this.folders.set(id, { inode, made, parent: folder.inode.number, entries: [], subfolders: 0 });
      folder.subfolders++;
      this.enter(folder, name, inode.number, inode.entryType);
    } else if (made.kind === 'symlink' && !this.isTarget(made.target)) {
      this.warn(`${JSON.stringify(path)} is a link whose target is empty or too long, and was left out.`);
    } else {
      const inode = this.begin(folder, made);
      this.complete(inode, made);
      this.giveAttributes(inode, made, path);
      this.parts.inodes.write(inode);
      this.known.set(id, { inode: inode.number, type: inode.entryType, links: 1 });
      this.enter(folder, name, inode.number, inode.entryType);
    }
  }

  /** mke2fs has made one: e2fsck wants it. */
  private adoptLost(id: number, made: NewInode | undefined, path: string): void {
    if (made?.kind !== 'directory' || this.lost === undefined) {
      this.warn(`${JSON.stringify(path)} is no folder, which every ext4 has there, and was left out.`);
      return;
    }
    const inode = this.parts.inodes.read(this.lost);
    this.folders.set(id, { inode, made, parent: rootInode, entries: [], subfolders: 0 });
  }

  private link(folder: Folder, name: string, id: number, path: string): void {
    const known = this.known.get(id);
    if (known === undefined || known.links >= maxLinks) {
      this.warn(`${JSON.stringify(path)} is a name too many for its file, and was left out.`);
      return;
    }
    known.links++;
    const inode = this.parts.inodes.read(known.inode);
    inode.links = known.links;
    this.parts.inodes.write(inode);
    this.enter(folder, name, known.inode, known.type);
  }

  private begin(folder: Folder, made: NewInode): Inode {
    const type = { ...fileType, file: fileType.regular }[made.kind];
    const mode = made.kind === 'symlink' ? 0o777 : made.mode;
    return newInode(this.parts, folder.inode.number, type, { ...made, mode });
  }

  private complete(inode: Inode, made: NewInode): void {
    const { blocks, device } = this.parts;
    if (made.kind === 'file') {
      const copied = this.copier.copy(made.pieces ?? [], made.size);
      inode.size = made.size;
      inode.setBlocks(copied.blocks + blocks.map(inode, copied.extents, []), device.blockSize);
    } else if (made.kind === 'symlink') {
      putTarget(this.parts, inode, encodeName(made.target ?? ''));
    } else if (made.device !== undefined) {
      inode.device = made.device;
    }
  }

  private finishFolder({ inode, made, parent, entries, subfolders }: Folder, path: string): void {
    inode.mode = fileType.directory | (made.mode & 0o7777);
    inode.setOwner(made.uid, made.gid);
    inode.setTime('mtime', made.mtime, made.mtimeRest);
    // 1 stands for more than can be counted.
    inode.links = subfolders + 2 > maxLinks ? 1 : subfolders + 2;
    this.parts.directories.fill(inode, parent, entries);
    this.giveAttributes(inode, made, path);
    this.parts.inodes.write(inode);
  }

  private giveAttributes(inode: Inode, made: NewInode, path: string): void {
    if (made.xattrs.size === 0) {
      return;
    }
    const values = new Map<string, Buffer>();
    for (const [name, value] of made.xattrs) {
      values.set(name, Buffer.from(value.buffer, value.byteOffset, value.byteLength));
    }
    for (const { name, problem } of this.parts.attributes.give(inode, values)) {
      this.warn(
        `The attribute ${JSON.stringify(name)} of ${JSON.stringify(path)} ${problem}, and was left out.`,
      );
    }
  }

  private enter(folder: Folder, name: string, inode: number, type: number): void {
    folder.entries.push([encodeName(name), inode, this.entryType(type)]);
  }

  private entryType(type: number): number {
    return this.parts.directories.storesTypes ? type : 0;
  }

  private isTarget(target = ''): boolean {
    const { length } = encodeName(target);
    return length > 0 && length <= maxTargetBytes(this.parts.device) && !target.includes('\0');
  }

  private warn(text: string): void {
    leaveOut(this.leftOut, text);
  }
}
