/** Gives room that an image no longer needs back to the disk that the image is on. */
import { resolve } from 'node:path';
import { run } from '../machine/run';

/** In bytes. */
export interface Range {
  offset: number;
  length: number;
}

/** A program for each: the largest are worth it. */
const maxRanges = 256;
const allMs = 3000;
const oneMs = 60_000;

/**
 * Of ranges that nothing in the image uses, while nobody else has the image. What this machine can't do (Node has no
 * call for it, fallocate of util-linux is on Linux only, and not every file system has holes) is left as it is.
 */
export async function punchHoles(image: string, ranges: readonly Range[]): Promise<void> {
  const widest = [...ranges].sort((a, b) => b.length - a.length).slice(0, maxRanges);
  const until = Date.now() + allMs;
  for (const { offset, length } of widest) {
    const isDone = Date.now() < until && (await punch(image, offset, length));
    if (!isDone) {
      return;
    }
  }
}

/** Resolves when the program is gone: what it does must not reach into the time of whoever has the image next. */
async function punch(image: string, offset: number, length: number): Promise<boolean> {
  const args = ['--punch-hole', '--offset', String(offset), '--length', String(length), resolve(image)];
  const options = { what: 'give room back to the disk', timeoutMs: oneMs };
  const end = await run('fallocate', args, options).catch(() => undefined); // it is not installed
  return end?.code === 0;
}
