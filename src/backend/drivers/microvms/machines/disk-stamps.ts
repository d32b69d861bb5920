/**
 * Whether disks were written to since some moment: the times that their file system gave them then and gives them now
 * are compared with each other, never with a clock of this machine, which may be another one and is finer.
 */
import { stat } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';

/** By path: size and time of the last write, in nanoseconds. */
export type DiskStamps = Readonly<Record<string, string>>;

/** Longer than the ticks by which kernels give times (1 to 10 ms), or those of file systems with whole seconds. */
const tickMs = { fine: 20, coarse: 2_100 };
const second = 1_000_000_000n;
/** What was written longer ago has another time than what is written now, on any file system. */
const longAgoMs = 3_000;

/** The times at which files were written to last, by their paths. */
export async function stampsOf(files: readonly string[]): Promise<DiskStamps> {
  const known = await Promise.all(files.map(async (file) => [file, stampOf(await timesOf(file))] as const));
  return Object.fromEntries(known);
}

/** Whole seconds are what a state directory keeps that was moved, or comes from a backup. */
export async function coarseStampsOf(files: readonly string[]): Promise<DiskStamps> {
  const stamp = ({ size, mtimeNs }: Times): string => `${size} ${mtimeNs / second}`;
  const known = await Promise.all(files.map(async (file) => [file, stamp(await timesOf(file))] as const));
  return Object.fromEntries(known);
}

/**
 * The stamps of disks that nobody writes to now. A write after that shows in them in any case: where the last one was
 * just now, this waits until the next has another time.
 */
export async function settledStamps(files: readonly string[]): Promise<DiskStamps> {
  const times = await Promise.all(files.map(timesOf));
  const recent = times.filter(({ mtimeNs }) => Date.now() - Number(mtimeNs / 1_000_000n) < longAgoMs);
  if (recent.length > 0) {
    const isFine = recent.every(({ mtimeNs }) => mtimeNs % second !== 0n);
    await sleep(isFine ? tickMs.fine : tickMs.coarse);
  }
  return stampsOf(files);
}

/** True as well when a disk is not among `before`. */
export async function hasChangedSince(before: DiskStamps, files: readonly string[]): Promise<boolean> {
  const now = await stampsOf(files);
  return files.some((file) => now[file] !== before[file]);
}

interface Times {
  size: bigint;
  mtimeNs: bigint;
}

/** Zeroes for what is not there. */
async function timesOf(file: string): Promise<Times> {
  const found = await stat(file, { bigint: true }).catch(() => undefined);
  return { size: found?.size ?? 0n, mtimeNs: found?.mtimeNs ?? 0n };
}

function stampOf({ size, mtimeNs }: Times): string {
  return `${size} ${mtimeNs}`;
}
