/**
 * The engine outlives the folder that it came in: an update of the extension removes that, while windows keep the engine
 * running. So it runs from a copy in its state directory, with all that it reads later: its worker, and `images/`.
 */
import { createHash, randomBytes } from 'node:crypto';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync,
} from 'node:fs';
import { dirname, join } from 'node:path';

const bundles = ['engine.js', 'disk-worker.js', 'network-filter.js'];

/** Where to start the engine from: the copy, or `enginePath` itself when it is no bundle or can't be copied. */
export function engineCopy(home: string, enginePath: string): string {
  const root = join(dirname(enginePath), '..');
  const isBundle = bundles.every((name) => existsSync(join(root, 'dist', name)));
  if (!isBundle || enginePath !== join(root, 'dist', 'engine.js')) {
    return enginePath;
  }
  try {
    const files = filesOf(root);
    const copy = join(home, 'engine', keyOf(root, files));
    if (existsSync(copy)) {
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

/** There as a whole or not at all; of two clients that copy at once one wins. */
function copyTo(copy: string, root: string, files: readonly string[]): void {
  const draft = join(dirname(copy), `.berth-draft-${randomBytes(16).toString('hex')}`);
  try {
    for (const file of files) {
      mkdirSync(dirname(join(draft, file)), { recursive: true, mode: 0o700 });
      copyFileSync(join(root, file), join(draft, file));
    }
    renameSync(draft, copy);
  } catch (error) {
    if (!existsSync(copy)) {
      throw error;
    }
  } finally {
    rmSync(draft, { recursive: true, force: true });
  }
}
