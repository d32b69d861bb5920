/** Makes a tar of local files as it is sent: small files are read several at a time, large ones ahead. */
import { close, open, read } from 'node:fs';
import { promisify } from 'node:util';
import { readFlags } from './open-flags';
import { ReadAhead, smallSize, type Small } from './small/read-ahead';
import { reasonOf, type LocalNode } from './tree';
import { localPath } from '../../machine/file-names';
import { BufferPool, type TarSource } from '../../tar/flow';
import { blockSize, dataBytes, encodeHeader, paddingOf, type TarEntry } from '../../tar/header';
import type { SparsePart } from '../../tar/sparse';

const pieceSize = 1024 * 1024;

/** Not the promise API: it costs twice as much per file. */
const openFile = promisify(open);
const closeFile = promisify(close);
const readFile = promisify(read);
export interface PackReport {
  /** Bytes of content sent. */
  sent(bytes: number, name: string): void;
  /** The file is not in the tar. */
  failed(node: LocalNode, reason: string): void;
  /** The file is in the tar but not as it was: it became shorter while it was read. */
  torn(node: LocalNode, reason: string): void;
}

export interface Owner {
  uid: number;
  gid: number;
}

/** Gathers small pieces into large ones: every write to the socket costs. */
class Gathered {
  private buffer: Buffer;
  private used = 0;

  constructor(private readonly pool: BufferPool) {
    this.buffer = pool.take();
  }

  /** Room for so many bytes? */
  fits(length: number): boolean {
    return this.used + length <= pieceSize;
  }

  add(bytes: Buffer): void {
    this.used += bytes.copy(this.buffer, this.used);
  }

  zeros(length: number): void {
    this.buffer.fill(0, this.used, this.used + length);
    this.used += length;
  }

  take(): Buffer {
    const taken = this.buffer.subarray(0, this.used);
    this.buffer = this.pool.take();
    this.used = 0;
    return taken;
  }
}

class Packer {
  readonly pool = new BufferPool(pieceSize);
  private readonly gathered = new Gathered(this.pool);
  /** Names of what is not in the tar. */
  private readonly failed = new Set<string>();
  private readonly ahead: ReadAhead;

  constructor(
    private readonly nodes: readonly LocalNode[],
    private readonly owner: Owner,
    private readonly report: PackReport,
    private readonly signal: AbortSignal,
  ) {
    this.ahead = new ReadAhead(nodes.filter(isSmall));
  }

  async *pack(): AsyncGenerator<Buffer, undefined> {
    try {
      yield* this.all();
    } finally {
      await this.ahead.close();
    }
    return undefined;
  }

  private async *all(): AsyncGenerator<Buffer> {
    for (const node of this.nodes) {
      this.signal.throwIfAborted();
      if (node.type === 'link' && this.failed.has(node.linkTarget)) {
        this.fail(node, 'another name of it could not be read');
      } else if (node.type !== 'file') {
        yield* this.put(this.header(node), Buffer.alloc(0));
      } else if (isSmall(node)) {
        yield* this.small(node, await this.ahead.next());
      } else {
        yield* this.large(node);
      }
    }
    yield* this.put(Buffer.alloc(2 * blockSize), Buffer.alloc(0));
    yield this.gathered.take();
  }

  private header(node: LocalNode): Buffer {
    const { name, type, size, mode, mtimeMs, mtimeNs, linkTarget, xattrs, sparse } = node;
    const entry: TarEntry = { name, type, size, mode, mtimeMs, mtimeNs, ...this.owner, linkName: linkTarget };
    return encodeHeader({
      ...entry,
      ...(xattrs !== undefined && { xattrs }),
      ...(sparse !== undefined && { sparse }),
    });
  }

  private fail(node: LocalNode, reason: string): void {
    this.failed.add(node.name);
    this.report.failed(node, reason);
  }

  private *put(header: Buffer, content: Buffer): Generator<Buffer> {
    const padding = paddingOf(content.length);
    if (!this.gathered.fits(header.length + content.length + padding)) {
      yield this.gathered.take();
    }
    if (!this.gathered.fits(header.length + content.length + padding)) {
      yield Buffer.concat([header, content, Buffer.alloc(padding)]);
      return;
    }
    this.gathered.add(header);
    this.gathered.add(content);
    this.gathered.zeros(padding);
  }

  private *small(node: LocalNode, read: Small): Generator<Buffer> {
    if (!('content' in read)) {
      this.fail(node, reasonOf(read.error));
      return;
    }
    yield* this.put(this.header(node), read.content);
    this.report.sent(node.size, node.name);
  }

  private async *large(node: LocalNode): AsyncGenerator<Buffer> {
    let file: number;
    try {
      file = await openFile(localPath(node.source), readFlags);
    } catch (error) {
      this.fail(node, reasonOf(error));
      return;
    }
    const ahead: Promise<Buffer>[] = [];
    try {
      yield* this.put(this.header(node), Buffer.alloc(0));
      yield this.gathered.take();
      this.report.sent(node.size - dataBytes(node), node.name);
      const pieces = piecesOf(node);
      for (;;) {
        while (ahead.length < 2) {
          const { done, value } = pieces.next();
          if (done === true) {
            break;
          }
          ahead.push(this.piece(node, file, value.offset, value.length));
        }
        const piece = await ahead.shift();
        if (piece === undefined) {
          break;
        }
        yield piece;
        this.report.sent(piece.length, node.name);
      }
    } finally {
      await Promise.allSettled(ahead);
      await closeFile(file);
    }
    this.gathered.zeros(paddingOf(dataBytes(node)));
  }

  /** As many bytes as the header promised, also when the file no longer has them. */
  private async piece(node: LocalNode, file: number, offset: number, wanted: number): Promise<Buffer> {
    const buffer = this.pool.take().subarray(0, wanted);
    let filled = 0;
    try {
      while (filled < wanted) {
        const { bytesRead } = await readFile(file, buffer, filled, wanted - filled, offset + filled);
        if (bytesRead === 0) {
          throw new Error('it changed while it was read');
        }
        filled += bytesRead;
      }
    } catch (error) {
      this.report.torn(node, reasonOf(error));
      buffer.fill(0, filled);
    }
    return buffer;
  }
}

function* piecesOf(node: LocalNode): Generator<SparsePart, undefined> {
  for (const { offset, length } of node.sparse ?? [{ offset: 0, length: node.size }]) {
    for (let at = 0; at < length; at += pieceSize) {
      yield { offset: offset + at, length: Math.min(pieceSize, length - at) };
    }
  }
  return undefined;
}

function isSmall(node: LocalNode): boolean {
  return node.type === 'file' && node.size <= smallSize && node.sparse === undefined;
}

/** A tar of the nodes, all owned by `owner`. */
export function packLocal(
  nodes: readonly LocalNode[],
  owner: Owner,
  report: PackReport,
  signal: AbortSignal,
): TarSource {
  const packer = new Packer(nodes, owner, report, signal);
  const chunks = packer.pack();
  return {
    next: async () => (await chunks.next()).value,
    release: (chunk) => packer.pool.release(chunk),
    close: async () => {
      await chunks.return(undefined);
    },
  };
}
