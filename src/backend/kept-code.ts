/**
 * Runs a bundle with the code that V8 made of it at an earlier start: to compile it anew takes longer than all else that
 * a start does. V8 refuses code of another version, processor or other flags, but takes whatever fits the length of the
 * source, so what is read here has to have the checksum of the very source and the very code; anything else is compiled
 * again, and kept instead.
 */
import { isAscii } from 'node:buffer';
import { createHash } from 'node:crypto';
import { lstatSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname } from 'node:path';
import { Script } from 'node:vm';
import * as zlib from 'node:zlib';
import { replaceFile } from './machine/whole-file';

const digestBytes = 64;
/** When what is used at each start has been compiled, and nobody waits for an answer any more. */
const settleMs = 3_000;
const [before, after] = ['(function (exports, require, module, __filename, __dirname) {', '\n})'];

export interface Ran {
  exports: unknown;
  /** The code was there, and nothing had to be compiled first. */
  wasKept: boolean;
}

/**
 * Runs the CommonJS module at `path`. Its code is kept at `codePath`; where that can't be written, nothing is kept.
 * `settled` is called when the start is over: V8 takes no code that was made with other flags, so these change then.
 */
export function runWithKeptCode(
  path: string,
  codePath: string,
  settled: () => void = () => undefined,
  settledAfterMs = settleMs,
): Ran {
  const source = readFileSync(path);
  const cachedData = readCode(codePath, source);
  const script = new Script(`${before}${textOf(source)}${after}`, {
    filename: path,
    columnOffset: -before.length,
    ...(cachedData !== undefined && { cachedData }),
  });
  const module = { exports: {} };
  const run: unknown = script.runInThisContext();
  if (typeof run === 'function') {
    run.call(module.exports, module.exports, createRequire(path), module, path, dirname(path));
  }
  const wasKept = cachedData !== undefined && script.cachedDataRejected !== true;
  const settle = (): void => {
    if (!wasKept) {
      void keep(codePath, source, script.createCachedData());
    }
    settled();
  };
  setTimeout(settle, settledAfterMs).unref();
  return { exports: module.exports, wasKept };
}

/** UTF-8 is read several times as fast where all of it is ASCII. */
function textOf(source: Buffer): string {
  return source.toString(isAscii(source) ? 'latin1' : 'utf8');
}

function readCode(codePath: string, source: Buffer): Buffer | undefined {
  try {
    if (!isOwnFile(codePath)) {
      return undefined;
    }
    const content = readFileSync(codePath);
    const code = content.subarray(digestBytes);
    return content.subarray(0, digestBytes).equals(digestOf(source, code)) ? code : undefined;
  } catch {
    return undefined;
  }
}

/** What others may write to is not run. */
function isOwnFile(path: string): boolean {
  const status = lstatSync(path);
  const own = process.getuid?.();
  return status.isFile() && (own === undefined || (status.uid === own && (status.mode & 0o022) === 0));
}

async function keep(codePath: string, source: Buffer, code: Buffer): Promise<void> {
  const content = Buffer.concat([digestOf(source, code), code]);
  // Without it the next start is slower, which is no reason to bother anybody.
  await replaceFile(codePath, content).catch(() => undefined);
}

/**
 * Against damage and other builds. Who could write another checksum there could write another program as well, so that the
 * fastest does, as each start waits for it: 2 ms where BLAKE2 takes 8. Node has it from 20.15 on.
 */
function digestOf(source: Buffer, code: Buffer): Buffer {
  const sums =
    'crc32' in zlib
      ? [zlib.crc32(source), zlib.crc32(code)]
      : [source, code].map((content) => createHash('blake2b512').update(content).digest('hex').slice(0, 8));
  const maker = [...sums, source.length, code.length, process.arch, process.versions.v8];
  return Buffer.from(maker.join(' ').padEnd(digestBytes).slice(0, digestBytes));
}
