/** Who else has an image: another engine of ours by a lock file, QEMU by the locks of the kernel. */
import { open, readFile } from 'node:fs/promises';
import { BerthError } from '../../../api/errors';
import { acquireLock } from '../../machine/lock';

/** An image that is ours alone until the answer is called. Throws `in_use` where another program or engine has it. */
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
  return locks !== '' && holdsLock(locks, await whereOf(path));
}

/** Where the kernel's own tables have a file. */
interface Where {
  /** `major:minor` in decimal, of the file system. */
  device: string;
  inode: bigint;
}

/**
 * By its mount: what stat(2) calls the device of a file is another one in a subvolume of btrfs, while the table of locks
 * has that of the file system.
 */
async function whereOf(path: string): Promise<Where> {
  const file = await open(path, 'r');
  try {
    const { dev, ino: inode } = await file.stat({ bigint: true });
    const [about, mounts] = await Promise.all(
      [`/proc/self/fdinfo/${file.fd}`, '/proc/self/mountinfo'].map((table) =>
        readFile(table, 'utf8').catch(() => ''),
      ),
    );
    const [major, minor] = [(dev >> 8n) & 0xfffn, (dev & 0xffn) | ((dev >> 12n) & 0xfff00n)];
    return { device: deviceOfMount(about ?? '', mounts ?? '') ?? `${major}:${minor}`, inode };
  } finally {
    await file.close();
  }
}

/** Of proc_pid_fdinfo(5) and proc_pid_mountinfo(5): "36 35 0:28 /home /home rw …". */
export function deviceOfMount(about: string, mounts: string): string | undefined {
  const id = /^mnt_id:\s*(\d+)$/m.exec(about)?.[1];
  const rows = mounts.split('\n').map((line) => line.split(' '));
  return id === undefined ? undefined : rows.find(([first]) => first === id)?.[2];
}

/** In proc_locks(5), "1: OFDLCK ADVISORY  READ -1 fe:00:1234 100 101": device and inode. */
export function holdsLock(locks: string, { device, inode }: Where): boolean {
  const [major = '', minor = ''] = device.split(':');
  const hex = (part: string): string => Number(part).toString(16).padStart(2, '0');
  return locks.includes(` ${hex(major)}:${hex(minor)}:${inode} `);
}
