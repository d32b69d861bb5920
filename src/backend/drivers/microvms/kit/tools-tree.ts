/** The tar of the tools disk: what containers have at /.berth, and what only guests need. */
import { readFile, readdir, readlink, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import tar, { type Header, type Pack } from 'tar-stream';
import { configureScript } from '../../../inside/configure-script';
import { guestFiles, guestScripts } from './kit-parts';
import { asError } from '../../../machine/as-error';

export interface ToolsTreeSource {
  /** A tar with the folder `.berth`. */
  tools: Readable;
  /** `images/guest`. */
  guest: string;
  /** What `gather.sh` made: `busybox` and `modules`. */
  gathered: string;
}

const prefix = /^(\.\/)?\.berth\//;

/** Ends with an error when one of its sources does. */
export function toolsTree(source: ToolsTreeSource): Readable {
  const pack = tar.pack();
  fill(pack, source).then(
    () => pack.finalize(),
    (error: unknown) => pack.destroy(asError(error)),
  );
  return Readable.from(pack, { objectMode: false });
}

async function fill(pack: Pack, { tools, guest, gathered }: ToolsTreeSource): Promise<void> {
  await copyTools(pack, tools);
  for (const folder of ['guest', 'guest/modules', 'guest/modules/lib', 'guest/modules/proc']) {
    await add(pack, { name: folder, type: 'directory', mode: 0o755 });
  }
  await add(pack, { name: 'guest/configure', mode: 0o644 }, Buffer.from(configureScript));
  for (const name of guestScripts) {
    await add(pack, { name: `guest/${name}`, mode: 0o755 }, await readFile(join(guest, name)));
  }
  for (const name of guestFiles) {
    await add(pack, { name: `guest/${name}`, mode: 0o600 }, await readFile(join(guest, name)));
  }
  await add(pack, { name: 'guest/modules/busybox', mode: 0o755 }, await readFile(join(gathered, 'busybox')));
  await copyFolder(pack, join(gathered, 'modules', 'lib'), 'guest/modules/lib');
}

async function copyTools(pack: Pack, tools: Readable): Promise<void> {
  const extract = tar.extract();
  const copied = pipeline(tools, extract);
  copied.catch(() => undefined);
  let isWhole = false;
  for await (const entry of extract) {
    const { header } = entry;
    const name = header.name.replace(prefix, '').replace(/\/$/, '');
    if (name === '' || name === '.berth') {
      entry.resume();
      continue;
    }
    isWhole ||= name === 'bin/sshd';
    const { type, mode, size } = header;
    const linkname = type === 'link' ? header.linkname.replace(prefix, '') : header.linkname;
    const content = await contentOf(entry);
    await add(pack, { name, type, mode, size, ...(type !== 'file' && { linkname }) }, content);
  }
  await copied;
  if (!isWhole) {
    throw new Error('the tools have no sshd');
  }
}

async function copyFolder(pack: Pack, folder: string, name: string): Promise<void> {
  for (const entry of (await readdir(folder, { withFileTypes: true })).sort((a, b) =>
    a.name < b.name ? -1 : 1,
  )) {
    const path = join(folder, entry.name);
    const target = `${name}/${entry.name}`;
    if (entry.isDirectory()) {
      await add(pack, { name: target, type: 'directory', mode: 0o755 });
      await copyFolder(pack, path, target);
    } else if (entry.isSymbolicLink()) {
      await add(pack, { name: target, type: 'symlink', mode: 0o777, linkname: await readlink(path) });
    } else {
      const { mode } = await stat(path);
      await add(pack, { name: target, mode: mode & 0o755 }, await readFile(path));
    }
  }
}

type Entry = Pick<Header, 'name'> & Partial<Header>;

/** Of root and of no time, whoever gathered it. */
function add(pack: Pack, entry: Entry, content: Buffer = Buffer.alloc(0)): Promise<void> {
  const header = { type: 'file' as const, ...entry, uid: 0, gid: 0, mtime: new Date(0) };
  return new Promise((resolve, reject) => {
    const done = (error?: Error | null): void => (error ? reject(error) : resolve());
    if (header.type === 'file') {
      pack.entry({ ...header, size: content.length }, content, done);
    } else {
      pack.entry(header, done);
    }
  });
}

async function contentOf(entry: AsyncIterable<unknown>): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of entry) {
    chunks.push(chunk as Buffer);
  }
  return Buffer.concat(chunks);
}
