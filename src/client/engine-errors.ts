/**
 * What an engine that can't be asked has left: `engine.stderr`, what it could not log (kept over starts, within a
 * bound), and the end of `engine.log`.
 */
import { openSync, readFileSync, renameSync, statSync } from 'node:fs';
import { join } from 'node:path';

const maxBytes = 64 * 1024;
const quotedCharacters = 2_000;
const quotedLines = 3;

export interface ErrorFile {
  /** To be closed by whoever opened it; undefined where it can't be opened, as on a full disk. */
  descriptor: number | undefined;
  /** What was said since it was opened; '' for nothing. */
  output: () => string;
}

/** Opens it for an engine that is about to start; the file before a long one is kept as `engine.stderr.1`. */
export function openErrorFile(home: string): ErrorFile {
  const path = join(home, 'engine.stderr');
  const size = sizeOf(path);
  if (size > maxBytes) {
    rotate(path);
  }
  const start = size > maxBytes ? 0 : size;
  return { descriptor: open(path), output: () => readFrom(path, start) };
}

/** Answers the messages of the last lines that were logged since then; '' for none. */
export function openLogTail(home: string): () => string {
  const path = join(home, 'engine.log');
  const start = sizeOf(path);
  return () => {
    // A log that was begun anew is shorter.
    const lines = readFrom(path, sizeOf(path) < start ? 0 : start).split('\n');
    return lines.map(messageOf).filter(Boolean).slice(-quotedLines).join('; ');
  };
}

/** Lines are JSON, as pino writes them; the first may have lost its beginning. */
function messageOf(line: string): string {
  try {
    const entry: unknown = JSON.parse(line);
    return typeof entry === 'object' && entry !== null && 'msg' in entry ? String(entry.msg) : '';
  } catch {
    return '';
  }
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
