/**
 * The engine outlives the folder that it came in: an update of the extension removes that, while windows keep the engine
 * running. So it runs from a copy in its state directory, with all that it reads later: its own code, its worker, and `images/`.
 */
import { createHash, randomBytes } from 'node:crypto';
import {
  closeSync,
  copyFileSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync,
} from 'node:fs';
import { dirname, join } from 'node:path';

const bundles = [
  ...['engine.js', 'engine-main.js', 'disk-worker.js', 'local-files.js', 'network-filter.js', 'ssh-proxy.js'],
];

/** Where to start the engine from: the copy, or `enginePath` itself when it is no bundle or can't be copied. */
export function engineCopy(home: string, enginePath: string): string {
  const root = join(dirname(enginePath), '..');
  const isBundle = bundles.every((name) => existsSync(join(root, 'dist', name)));
  const isCopy = dirname(root) === join(home, 'engine');
  if (!isBundle || isCopy || enginePath !== join(root, 'dist', 'engine.js')) {
    return enginePath;
  }
  try {
    const files = filesOf(root);
    const copy = join(home, 'engine', keyOf(root, files));
    if (isWhole(copy, root, files)) {
      // Engines that start remove old copies: this one is about to be used.
      utimesSync(copy, new Date(), new Date());
    } else {
      copyTo(copy, root, files);
    }
    return join(copy, 'dist', 'engine.js');
  } catch {
    // On a full disk, say: it still runs as long as its folder is there.
    return enginePath;
  }
}

/** Relative paths. */
function filesOf(root: string): string[] {
  const images = readdirSync(join(root, 'images'), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(root.length + 1));
  return [...bundles.map((name) => join('dist', name)), ...images.sort()];
}

/** Another one for whatever was built or installed anew. */
function keyOf(root: string, files: readonly string[]): string {
  const hash = createHash('sha256');
  for (const file of files) {
    const { size, mtimeMs } = statSync(join(root, file));
    hash.update(`${file}\0${size}\0${mtimeMs}\n`);
  }
  return hash.digest('hex').slice(0, 16);
}

/** All files with their content: a power cut, a full disk, or somebody who tidied may have left less. */
function isWhole(copy: string, root: string, files: readonly string[]): boolean {
  return files.every((file) => {
    const content = contentOf(join(copy, file));
    return content?.equals(readFileSync(join(root, file))) === true;
  });
}

function contentOf(path: string): Buffer | undefined {
  try {
    return readFileSync(path);
  } catch {
    return undefined;
  }
}

/** There as a whole or not at all, also after a power cut; of two clients that copy at once one wins. */
function copyTo(copy: string, root: string, files: readonly string[]): void {
  const draft = draftBeside(copy);
  try {
    const folders = new Set([draft]);
    for (const file of files) {
      const to = join(draft, file);
      mkdirSync(dirname(to), { recursive: true, mode: 0o700 });
      copyFileSync(join(root, file), to);
      sync(to);
      for (let folder = dirname(to); folder !== draft; folder = dirname(folder)) {
        folders.add(folder);
      }
    }
    folders.forEach(syncFolder);
    if (!isWhole(copy, root, files)) {
      putAside(copy);
      renameSync(draft, copy);
    }
    syncFolder(dirname(copy));
    syncFolder(dirname(dirname(copy)));
  } catch (error) {
    if (!isWhole(copy, root, files)) {
      throw error;
    }
  } finally {
    rmSync(draft, { recursive: true, force: true });
  }
}

/** As `machine/drafts.ts` names them: what is left of one is swept by an engine that starts. */
function draftBeside(copy: string): string {
  return join(dirname(copy), `.berth-draft-${randomBytes(16).toString('hex')}`);
}

/** A copy that is not whole. Renamed first, so that nobody finds a copy of which a part is removed. */
function putAside(copy: string): void {
  if (existsSync(copy)) {
    const aside = draftBeside(copy);
    renameSync(copy, aside);
    rmSync(aside, { recursive: true, force: true });
  }
}

/** Some systems (Windows) and file systems don't sync all that is asked; what is missing then is found by `isWhole`. */
function sync(path: string): void {
  const descriptor = openSync(path, 'r');
  try {
    fsyncSync(descriptor);
  } catch (error) {
    if (!isUnsupported(error)) {
      throw error;
    }
  } finally {
    closeSync(descriptor);
  }
}

function isUnsupported(error: unknown): boolean {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  return code === 'EINVAL' || code === 'EPERM' || code === 'EBADF' || code === 'ENOTSUP';
}

function syncFolder(path: string): void {
  if (process.platform !== 'win32') {
    sync(path);
  }
}
