/** Passes a tar on, member by member, and refuses what could leave the folder that it is unpacked into. */
import { posix } from 'node:path';
import { Readable } from 'node:stream';
import { BerthError } from '../../api/errors';
import { Losses } from './losses';
import { blockSize, dataBytes, encodeHeader, paddingOf, type TarEntry } from './header';
import { TarReader } from './read';
import type { ContentSink } from './visitor';

/** The user of workspaces (`inside/places.ts`, which archives know nothing of). */
const owner = 1000;

/** Why a member may not be unpacked; undefined when it may. */
export function unsafeMember({ name, type, linkName, special }: TarEntry): string | undefined {
  if (type === 'other') {
    return special === undefined ? 'is of a kind that Berth does not know' : `is a ${kinds[special.kind]}`;
  }
  if (leaves(name)) {
    return 'has a path outside of the bundle';
  }
  if (type === 'link' && leaves(linkName)) {
    return `links to ${linkName}, outside of the bundle`;
  }
  if (type === 'symlink') {
    const resolved = posix.isAbsolute(linkName) ? linkName : posix.join(posix.dirname(name), linkName);
    if (leaves(resolved)) {
      return `links to ${linkName}, outside of the bundle`;
    }
  }
  return undefined;
}

const kinds = { fifo: 'fifo', character: 'character device', block: 'block device' };

function leaves(path: string): boolean {
  const clean = posix.normalize(path);
  return posix.isAbsolute(clean) || clean === '..' || clean.startsWith('../');
}

/**
 * The members of a tar, all owned by the workspace's user; holes stay holes. Fails at the first that is not safe.
 * `losses`: what members have that no file can.
 */
export function vetTar(tar: Readable, source: string, losses = new Losses()): Readable {
  // It may fail before anybody reads, or nobody may ever read.
  tar.on('error', () => undefined);
  const members = Readable.from(vetted(tar, source, losses), { objectMode: false });
  return members.once('close', () => tar.destroy());
}

async function* vetted(tar: Readable, source: string, losses: Losses): AsyncGenerator<Buffer> {
  const passed = new Vetting(source, losses);
  const reader = new TarReader(passed);
  try {
    for await (const chunk of tar as AsyncIterable<Buffer>) {
      await reader.push(chunk);
      yield* passed.take();
    }
    if (!reader.ended && !reader.isBetween) {
      throw new Error('it ends too early');
    }
  } catch (error) {
    throw explain(source, error);
  }
  yield Buffer.alloc(2 * blockSize);
}

/** Gathers what is to be passed on. */
class Vetting {
  private ready: Buffer[] = [];

  constructor(
    private readonly source: string,
    private readonly losses: Losses,
  ) {}

  take(): Buffer[] {
    return this.ready.splice(0);
  }

  entry(entry: TarEntry, content: Buffer): undefined {
    this.ready.push(this.header(entry), content, Buffer.alloc(paddingOf(content.length)));
  }

  large(entry: TarEntry): ContentSink {
    this.ready.push(this.header(entry));
    return {
      piece: (bytes) => void this.ready.push(Buffer.from(bytes)),
      hole: () => undefined,
      end: () => void this.ready.push(Buffer.alloc(paddingOf(dataBytes(entry)))),
    };
  }

  private header(entry: TarEntry): Buffer {
    const reason = unsafeMember(entry);
    if (reason !== undefined) {
      const name = JSON.stringify(entry.name);
      throw new BerthError(
        'bad_request',
        `The bundle ${this.source} is not safe: its member ${name} ${reason}.`,
        {
          hint: 'Pack it again without that member.',
          field: 'mounts',
        },
      );
    }
    const { type, name } = entry;
    this.losses.attributes(entry.refused ?? [], name);
    // Of old tars: a folder is a file whose name ends with a slash.
    const isFolder = type === 'directory' || (type === 'file' && name.endsWith('/'));
    const own = { ...entry, uid: owner, gid: owner };
    return encodeHeader(isFolder ? { ...own, type: 'directory', name: name.replace(/\/+$/, '') } : own);
  }
}

function explain(source: string, error: unknown): BerthError {
  if (error instanceof BerthError) {
    return error;
  }
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  if (code === 'ENOENT') {
    return new BerthError('not_found', `The bundle ${source} is not there.`, {
      hint: 'Put it back, or remove the mount.',
      field: 'mounts',
      cause: error,
    });
  }
  const message = error instanceof Error ? error.message : String(error);
  return new BerthError('bad_request', `The bundle ${source} could not be unpacked: ${message}`, {
    hint: 'It must be a .tar, .tar.gz or .tgz.',
    field: 'mounts',
    cause: error,
  });
}
