/** `engine.stderr`: what engines said that could not log it. Kept over starts, within a bound. */
import { openSync, readFileSync, renameSync, statSync } from 'node:fs';
import { join } from 'node:path';

const maxBytes = 64 * 1024;
const quotedCharacters = 2_000;

export interface ErrorFile {
  /** To be closed by whoever opened it; undefined where it can't be opened, as on a full disk. */
  descriptor: number | undefined;
  /** What was said since it was opened; '' for nothing. */
  said: () => string;
}

/** Opens it for an engine that is about to start; the file before a long one is kept as `engine.stderr.1`. */
export function openErrorFile(home: string): ErrorFile {
  const path = join(home, 'engine.stderr');
  const size = sizeOf(path);
  if (size > maxBytes) {
    rotate(path);
  }
  const start = size > maxBytes ? 0 : size;
  return { descriptor: open(path), said: () => readFrom(path, start) };
}

function sizeOf(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.size ?? 0;
}

function rotate(path: string): void {
  try {
    renameSync(path, `${path}.1`);
  } catch {
    // Another client was quicker, or nothing can be renamed here: it is appended to all the same.
  }
}

function open(path: string): number | undefined {
  try {
    return openSync(path, 'a', 0o600);
  } catch {
    return undefined;
  }
}

function readFrom(path: string, start: number): string {
  try {
    return readFileSync(path).subarray(start).toString('utf8').trim().slice(-quotedCharacters);
  } catch {
    return '';
  }
}
