/** Reads a tar into a tree; contents go to flat files of a folder of ours. */
import { createWriteStream } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { extract, type Header } from 'tar-stream';
import { Tree, type Inode } from './tree';

const kinds: Partial<Record<string, Inode['kind']>> = {
  directory: 'directory',
  file: 'file',
  'contiguous-file': 'file',
  symlink: 'symlink',
  fifo: 'fifo',
  'character-device': 'character',
  'block-device': 'block',
};
const xattrKey = 'SCHILY.xattr.';

/** PAX records carry attributes as text, which tar-stream reads as UTF-8. */
function xattrsOf({ pax }: Header): Map<string, Buffer> {
  const records = Object.entries((pax ?? {}) as Record<string, string>);
  const own = records.filter(([key]) => key.startsWith(xattrKey));
  return new Map(own.map(([key, value]) => [key.slice(xattrKey.length), Buffer.from(value, 'utf8')]));
}

function inodeOf(header: Header, kind: Inode['kind']): Inode {
  const { mode, uid, gid, mtime, linkname, devmajor, devminor } = header;
  const isDevice = kind === 'character' || kind === 'block';
  return {
    kind,
    mode: mode & 0o7777,
    uid,
    gid,
    mtime: Math.max(0, Math.floor(mtime.getTime() / 1000)),
    size: 0,
    xattrs: xattrsOf(header),
    ...(kind === 'symlink' && { target: linkname }),
    ...(isDevice && { device: { major: devmajor, minor: devminor } }),
  };
}

async function take(
  header: Header,
  entry: AsyncIterable<Uint8Array>,
  tree: Tree,
  contentPath: () => string,
): Promise<void> {
  const path = tree.pathOf(header.name);
  const kind = kinds[header.type];
  if (path !== undefined && header.type === 'link') {
    const target = tree.pathOf(header.linkname);
    if (target === undefined || !tree.link(path, target)) {
      tree.warnings.push(`${JSON.stringify(header.name)} is a link to nothing and was left out.`);
    }
  } else if (path !== undefined && kind !== undefined) {
    const inode = inodeOf(header, kind);
    if (kind === 'file' && header.size > 0) {
      inode.content = contentPath();
      inode.size = header.size;
      await pipeline(Readable.from(entry), createWriteStream(inode.content, { mode: 0o644 }));
    }
    tree.put(path, inode);
  }
}

/** Fails with the error of the tar, or when it is cancelled. */
export async function readTar(tar: Readable, folder: string, signal?: AbortSignal): Promise<Tree> {
  const tree = new Tree();
  let count = 0;
  const contentPath = () => join(folder, String((count += 1)));
  const reader = extract();
  reader.on('entry', (header, entry, next) => {
    take(header, entry as AsyncIterable<Uint8Array>, tree, contentPath).then(
      () => {
        entry.resume();
        next();
      },
      (error: unknown) => reader.destroy(error instanceof Error ? error : new Error(String(error))),
    );
  });
  await pipeline(tar, reader, { ...(signal !== undefined && { signal }) });
  return tree;
}
