/** A tar on disk whose members are read where they lie: its headers are read once, its contents when they are needed. */
import { createReadStream } from 'node:fs';
import type { FileHandle } from 'node:fs/promises';
import { posix } from 'node:path';
import { Readable } from 'node:stream';
import { BerthError } from '../../../api/errors';
import { mebibyte } from '../../../api/rules/sizes';
import { isErrno, openRegular } from '../../machine/files';
import { blockSize, decodeHeader, paddingOf, applyPax, type RawHeader } from '../../tar/header';
import { maxDocumentBytes } from './documents';
import { throwIfCancelled } from '../../machine/wait';

/** An archive of an image has a few members for each layer. */
const maxMembers = 20_000;
const maxLinks = 10;

interface Member {
  offset: number;
  size: number;
  /** Where it leads instead. */
  link?: string;
}

export class TarFile {
  private constructor(
    readonly path: string,
    private readonly members: ReadonlyMap<string, Member>,
  ) {}

  static async open(path: string, signal?: AbortSignal): Promise<TarFile> {
    const file = await openRegular(path).catch((error: unknown) => {
      throw unreadable(path, error);
    });
    try {
      return new TarFile(path, await membersOf(file, path, signal));
    } finally {
      await file.close();
    }
  }

  sizeOf(name: string): number | undefined {
    return this.find(name)?.size;
  }

  /** Throws `bad_request` when there is no such member. */
  stream(name: string): Readable {
    const member = this.find(name);
    if (member === undefined) {
      throw new BerthError('bad_request', `${this.path} lacks ${JSON.stringify(name)}: it is incomplete.`, {
        field: 'image',
      });
    }
    const { offset, size } = member;
    return size === 0
      ? Readable.from([])
      : createReadStream(this.path, { start: offset, end: offset + size - 1, highWaterMark: mebibyte });
  }

  /** A small member as a whole; undefined when there is none. Throws `too_large`. */
  async read(name: string): Promise<Buffer | undefined> {
    const size = this.sizeOf(name);
    if (size === undefined) {
      return undefined;
    }
    if (size > maxDocumentBytes) {
      throw new BerthError(
        'too_large',
        `${JSON.stringify(name)} of ${this.path} is too large for what it is.`,
      );
    }
    const chunks: Buffer[] = [];
    for await (const chunk of this.stream(name)) {
      chunks.push(chunk as Buffer);
    }
    return Buffer.concat(chunks);
  }

  /** Links lead to other members only. */
  private find(name: string): Member | undefined {
    let at = clean(name);
    for (let links = 0; links <= maxLinks; links++) {
      const member = this.members.get(at);
      if (member?.link === undefined) {
        return member;
      }
      at = clean(posix.join(posix.dirname(at), member.link));
    }
    throw new BerthError('bad_request', `${this.path} has a loop of links at ${JSON.stringify(name)}.`);
  }
}

function unreadable(path: string, cause: unknown): BerthError {
  return isErrno(cause, 'ENOENT', 'ENOTDIR')
    ? new BerthError('not_found', `There is no file ${path}.`, { field: 'image', cause })
    : new BerthError('bad_request', `${path} can't be read: ${inWords(cause)}.`, { field: 'image', cause });
}

function inWords(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
}

function clean(name: string): string {
  return posix.normalize(`/${name}`).slice(1);
}

async function membersOf(
  file: FileHandle,
  path: string,
  signal: AbortSignal | undefined,
): Promise<Map<string, Member>> {
  const members = new Map<string, Member>();
  const { size: end } = await file.stat();
  const block = Buffer.alloc(blockSize);
  let pending: { pax?: Buffer; name?: string } = {};
  for (let at = 0; at + blockSize <= end;) {
    throwIfCancelled(signal, 'read an archive');
    await file.read(block, 0, blockSize, at);
    const header = decode(block, path, at);
    if (header === undefined) {
      break;
    }
    const offset = at + blockSize;
    if (header.flag === 'x' || header.flag === 'L') {
      const content = await extended(file, header, offset, path);
      pending = header.flag === 'x' ? { ...pending, pax: content } : { ...pending, name: textOf(content) };
    } else if (header.flag !== 'g') {
      header.name = pending.name ?? header.name;
      extend(header, pending.pax, path);
      pending = {};
      keep(members, header, offset);
    }
    const size = header.type === 'link' || header.type === 'symlink' ? 0 : header.size;
    at = offset + size + paddingOf(size);
    if (at > end || members.size > maxMembers) {
      throw damaged(path, at > end ? 'it was cut off' : 'it has too many members for an image');
    }
  }
  return members;
}

function extend(header: RawHeader, pax: Buffer | undefined, path: string): void {
  try {
    applyPax(header, pax ?? Buffer.alloc(0));
  } catch (error) {
    const message =
      error instanceof Error ? error.message.replace('the tar is damaged: ', '') : String(error);
    throw damaged(path, message);
  }
}

function keep(members: Map<string, Member>, header: RawHeader, offset: number): void {
  const { name, type, size, linkName } = header;
  if (type === 'file') {
    members.set(clean(name), { offset, size });
  } else if (type === 'symlink') {
    members.set(clean(name), { offset, size: 0, link: linkName });
  } else if (type === 'link') {
    members.set(clean(name), { offset, size: 0, link: `/${linkName}` });
  }
}

function decode(block: Buffer, path: string, at: number): RawHeader | undefined {
  try {
    return decodeHeader(block);
  } catch (error) {
    if (at > 0) {
      throw damaged(path, 'a header in it can not be read');
    }
    throw new BerthError('bad_request', `${path} is not a tar.`, {
      hint: 'Archives that are packed as a whole (.tar.gz) must be unpacked first, e.g. with gunzip.',
      field: 'image',
      cause: error,
    });
  }
}

async function extended(file: FileHandle, header: RawHeader, offset: number, path: string): Promise<Buffer> {
  if (header.size > maxDocumentBytes) {
    throw damaged(path, 'an extended header is too large');
  }
  const content = Buffer.alloc(header.size);
  await file.read(content, 0, header.size, offset);
  return content;
}

function textOf(content: Buffer): string {
  const end = content.indexOf(0);
  return content.toString('utf8', 0, end < 0 ? content.length : end);
}

function damaged(path: string, why: string): BerthError {
  return new BerthError('bad_request', `${path} is damaged: ${why}.`, { field: 'image' });
}
