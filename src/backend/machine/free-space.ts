/** Room on the disks of this machine. */
import { stat, statfs } from 'node:fs/promises';

const blockBytes = 512;

/** Bytes that are free in a folder for whoever runs the engine. */
export async function freeBytesIn(folder: string): Promise<number> {
  const { bavail, bsize } = await statfs(folder);
  return bavail * bsize;
}

/** Bytes that files take on their disks: without their holes. */
export async function takenBytes(...paths: readonly string[]): Promise<number> {
  const sizes = await Promise.all(paths.map(async (path) => (await stat(path)).blocks * blockBytes));
  return sizes.reduce((sum, size) => sum + size, 0);
}
