/**
 * A tar of a tree, made piece by piece as it is asked for, with devices, pipes and extended attributes: whoever can't keep
 * these says so.
 */
import { sparseParts } from '../../../tar/holes';
import { baseName, isOwnName, joinPath } from '../../../../api/rules/volume-path';
import { errorReply } from '../../../ext4/disk-error';
import { blockSize, encodeHeader, paddingOf, type TarEntry } from '../../../tar/header';
import { attributesOf } from '../../../ext4/structures/attributes';
import type { FileReader } from '../../../ext4/file-content';
import type { Ext4 } from '../../../ext4/file-system';
import { fileType, type Inode } from '../../../ext4/structures/inode';
import type { Copied } from './copied';
import type { Fields } from './entries';
import { isUnusedLostAndFound } from './lost-found';
import { split, type Volume } from './places';
import { spareBytes, Spares } from './spares';
import { isStillThere, Trail } from './trees';

const piece = spareBytes;
/** Up to that a file is one part of the tar. */
const smallSize = 64 * 1024;

const types: Readonly<Record<number, TarEntry['type']>> = {
  [fileType.regular]: 'file',
  [fileType.directory]: 'directory',
  [fileType.symlink]: 'symlink',
};
const specials: Readonly<Record<number, NonNullable<TarEntry['special']>['kind']>> = {
  [fileType.fifo]: 'fifo',
  [fileType.character]: 'character',
  [fileType.block]: 'block',
};

/** `whole`: as a layer of an image, without the folder itself. Paths are relative, without a slash at their front. */
interface Extent {
  whole: boolean;
  without: ReadonlySet<string>;
  /** Files whose content stays behind. */
  emptied: ReadonlySet<string>;
}

function extentOf({ whole, without, emptied }: Fields): Extent {
  const words = (value: unknown): Set<string> =>
    new Set(Array.isArray(value) ? value.filter((word) => typeof word === 'string') : []);
  return { whole: whole === true, without: words(without), emptied: words(emptied) };
}

export class TarOut {
  private readonly extent: Extent;
  private readonly chunks: Generator<Buffer, void>;
  private readonly trail = new Trail();
  /** A small file with its header, until it is copied. */
  private readonly small = Buffer.allocUnsafeSlow(2 * smallSize);
  /** What did not fit any more. */
  private held: Buffer | undefined;
  /** The first names of files that have several. */
  private readonly linked = new Map<number, string>();
  /** What could not be read. */
  readonly failed: Fields[] = [];
  /** Sockets: no tar can carry them, and that is no failure for those who want a tar. */
  readonly leftOut: string[] = [];
  /** What was asked for. */
  private readonly base: string;

  constructor(
    private readonly fs: Ext4,
    volume: Volume,
    request: Fields,
    /** Notes what is read. */
    private readonly copied?: Copied,
    private readonly spares = new Spares(),
  ) {
    this.extent = extentOf(request);
    const place = volume.existing(split(request.path), false);
    this.base = place.path;
    const name = place.path === '/' ? '.' : baseName(place.path);
    this.chunks = this.pack(place.inode, name);
  }

  /** Up to a megabyte, in a buffer of its own; empty at the end. */
  next(): Buffer {
    let all: Buffer | undefined;
    let used = 0;
    for (let part = this.part(); part !== undefined; part = this.part()) {
      if (used === 0 && part.length >= piece) {
        return part;
      }
      if (used + part.length > piece) {
        this.held = part;
        break;
      }
      all ??= this.spares.take();
      used += part.copy(all, used);
      if (this.spares.isTaken(part) && part.buffer instanceof ArrayBuffer) {
        this.spares.give(part.buffer);
      }
    }
    return all === undefined ? Buffer.alloc(0) : all.subarray(0, used);
  }

  /** The next part of the tar, which is as it is until the one after it is asked for. */
  private part(): Buffer | undefined {
    const { held } = this;
    this.held = undefined;
    if (held !== undefined) {
      return held;
    }
    const step: IteratorResult<Buffer, void> = this.chunks.next();
    return step.done === true ? undefined : step.value;
  }

  close(): void {
    this.chunks.return(undefined);
  }

  private *pack(inode: Inode, name: string): Generator<Buffer, void> {
    if (this.extent.whole && inode.isDirectory) {
      // The folder itself has no name in a layer.
      yield* this.below(inode, '');
    } else {
      yield* this.node(inode, name);
    }
    yield Buffer.alloc(2 * blockSize);
  }

  private *node(inode: Inode, name: string): Generator<Buffer> {
    const isSpecial = specials[inode.type] !== undefined;
    const type = isSpecial ? 'other' : types[inode.type];
    if (type === undefined) {
      this.leftOut.push(this.pathOf(name));
      return;
    }
    this.copied?.note(inode);
    const first = this.linked.get(inode.number);
    if (first !== undefined) {
      yield encodeHeader(this.entryOf(inode, name, 'link', first));
      return;
    }
    if (type !== 'directory' && inode.links > 1) {
      this.linked.set(inode.number, name);
    }
    if (type === 'file' && !this.extent.emptied.has(name)) {
      yield* this.file(inode, name);
      return;
    }
    yield encodeHeader(this.entryOf(inode, name, type, type === 'symlink' ? this.fs.readLink(inode) : ''));
    if (type === 'directory') {
      yield* this.below(inode, name);
    }
  }

  private entryOf(inode: Inode, name: string, type: TarEntry['type'], linkName: string): TarEntry {
    const { emptied } = this.extent;
    const kind = specials[inode.type];
    return {
      name,
      type,
      linkName,
      size: type === 'file' && !emptied.has(name) ? inode.size : 0,
      mode: inode.mode & 0o7777,
      uid: inode.uid,
      gid: inode.gid,
      mtimeMs: inode.time('mtime') / 1000,
      ...(!this.extent.whole && { mtimeNs: mtimeNsOf(inode) }),
      ...(type === 'other' && kind !== undefined && { special: { kind, ...inode.device } }),
      ...(type !== 'link' && { xattrs: attributesOf(this.fs.device, inode) }),
    };
  }

  private *file(inode: Inode, name: string): Generator<Buffer> {
    const entry = this.entryOf(inode, name, 'file', '');
    const reading = this.fs.reader(inode);
    try {
      // Layers of images are read by others, who need not know of holes.
      const sparse = this.extent.whole ? undefined : sparseParts(inode.size, reading.content.parts());
      const header = encodeHeader(sparse === undefined ? entry : { ...entry, sparse });
      if (sparse === undefined && inode.size <= smallSize) {
        yield this.withContent(header, reading.content);
        return;
      }
      yield header;
      const whole = [{ offset: 0, length: inode.size }];
      let sent = 0;
      for (const { offset, length } of sparse ?? whole) {
        yield* this.pieces(reading.content, offset, offset + length);
        sent += length;
      }
      yield Buffer.alloc(paddingOf(sent));
    } finally {
      reading.close();
    }
  }

  private *pieces(content: FileReader, from: number, to: number): Generator<Buffer> {
    for (let at = from; at < to; at += piece) {
      const bytes = this.spares.take().subarray(0, Math.min(piece, to - at));
      content.readInto(bytes, at);
      yield bytes;
    }
  }

  /** An entry with all that belongs to it. */
  private withContent(header: Buffer, content: FileReader): Buffer {
    const end = header.length + content.size;
    const length = end + paddingOf(content.size);
    const { small } = this;
    const all = length > small.length ? Buffer.allocUnsafeSlow(length) : small.subarray(0, length);
    header.copy(all);
    content.readInto(all.subarray(header.length, end), 0);
    return all.fill(0, end);
  }

  private *below(folder: Inode, name: string): Generator<Buffer> {
    const names = this.attempt(name, () => this.trail.namesIn(this.fs, folder.number)) ?? [];
    for (const [child, { inode }] of names) {
      const path = name === '' ? child : `${name}/${child}`;
      const isWanted =
        !isOwnName(child) &&
        !this.extent.without.has(path) &&
        !isUnusedLostAndFound(this.fs, folder.number, child);
      if (isWanted && isStillThere(this.fs, folder.number, child, inode)) {
        const node = this.attempt(path, () => this.fs.inode(inode));
        if (node !== undefined) {
          yield* this.node(node, path);
        }
      }
    }
    this.trail.leave(folder.number);
  }

  /** What can't be read is noted, and stops nothing else; but in an image nothing may be missing. */
  private attempt<T>(name: string, read: () => T): T | undefined {
    try {
      return read();
    } catch (error) {
      if (this.extent.whole) {
        throw error;
      }
      this.failed.push(errorReply(error, this.pathOf(name)));
      return undefined;
    }
  }

  /** In the volume, of what is in the tar by that name. */
  private pathOf(name: string): string {
    return joinPath(this.base, ...name.split('/').slice(1));
  }
}

function mtimeNsOf(inode: Inode): bigint {
  return BigInt(inode.time('mtime')) * 1000n + BigInt(inode.timeRest('mtime'));
}
