/** Who else has an image: another engine of ours by a lock file, QEMU by the locks of the kernel. */
import { readFile, stat } from 'node:fs/promises';
import { BerthError } from '../../../api/errors';
import { acquireLock } from '../../store/lock';

/** An image that is ours alone until the answer is called. */
export async function lockImage(volume: string, path: string): Promise<() => void> {
  if (await isLockedByKernel(path)) {
    throw new BerthError('in_use', `The disk of the volume ${volume} is in use by another program.`, {
      hint: 'Stop the machine that has it.',
    });
  }
  const lock = acquireLock(`${path}.lock`);
  if (lock === undefined) {
    throw new BerthError('in_use', `The disk of the volume ${volume} is in use by another engine.`, {
      hint: 'Stop that engine, or use the volume there.',
    });
  }
  return () => lock.release();
}

/** True when some process holds a lock on the file, as every QEMU does. On Linux only; else nobody can tell. */
export async function isLockedByKernel(path: string): Promise<boolean> {
  const locks = await readFile('/proc/locks', 'utf8').catch(() => '');
  if (locks === '') {
    return false;
  }
  const { dev, ino } = await stat(path, { bigint: true });
  const [major, minor] = [(dev >> 8n) & 0xfffn, (dev & 0xffn) | ((dev >> 12n) & 0xfff00n)];
  const hex = (part: bigint): string => part.toString(16).padStart(2, '0');
  // "1: OFDLCK ADVISORY  READ -1 fe:00:1234 100 101": device and inode.
  return locks.includes(` ${hex(major)}:${hex(minor)}:${ino} `);
}
