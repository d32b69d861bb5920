/**
 * One `Include` line at the top of the user's own ssh config: before any `Host`, absolute, once, keeping the
 * file's mode and following a symlink to the file it names.
 */
import { mkdir, readFile, readlink, realpath, stat } from 'node:fs/promises';
import { homedir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { BerthError } from '../../api/errors';
import { abandonedAfterMs, sweepDrafts } from '../machine/draft-sweep';
import { isErrno } from '../machine/files';
import { replaceFile } from '../machine/whole-file';
import { globPattern, quotePath } from './config';

/** The path that ssh reads. */
export function defaultUserConfig(): string {
  return join(homedir(), '.ssh', 'config');
}

/** What is written to the top of the user's config, or to be written by hand. */
export function includeLine(configFile: string): string {
  return `Include ${quotePath(globPattern(configFile))}`;
}

async function readConfig(
  path: string,
): Promise<{ real: string; text: string; bytes: Buffer; mode: number }> {
  try {
    const real = await realpath(path);
    const [bytes, info] = await Promise.all([readFile(real), stat(real)]);
    return { real, bytes, text: bytes.toString('utf8'), mode: info.mode & 0o777 };
  } catch (error) {
    if (isErrno(error, 'ENOENT')) {
      return { real: await linkedFile(path), bytes: Buffer.alloc(0), text: '', mode: 0o600 };
    }
    throw error;
  }
}

/** Where a file is to be made: what a symlink names, also when that is not there yet. */
async function linkedFile(path: string): Promise<string> {
  try {
    return resolve(dirname(path), await readlink(path));
  } catch {
    return path;
  }
}

/** As OpenSSH splits a line (`argv_split` in its misc.c). */
function wordsOf(text: string): string[] {
  const words = text.match(/(?:"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*'|\\.|[^\s"'\\])+/g) ?? [];
  const end = words.findIndex((word) => word.startsWith('#'));
  return words
    .slice(0, end < 0 ? words.length : end)
    .map((word) =>
      word.replace(/"((?:\\.|[^"\\])*)"|'((?:\\.|[^'\\])*)'|(\\.)/g, (_, double, single, bare) =>
        String(double ?? single ?? bare).replace(/\\(["'\\ ])/g, '$1'),
      ),
    );
}

function holds(text: string, configFile: string): boolean {
  // On Windows people write either slash.
  const wanted = [globPattern(configFile), ...(process.platform === 'win32' ? [configFile] : [])];
  for (const line of text.split(/\r?\n/)) {
    const trimmed = line.trim();
    const included = /^include(?:\s+|\s*=\s*)(.*)$/i.exec(trimmed)?.[1];
    if (included !== undefined && wordsOf(included).some((word) => wanted.includes(word))) {
      return true;
    }
    // Below a Host or Match line an Include belongs to that block only; what stands above it wins over what it brings.
    if (trimmed !== '' && !/^(#|(include|ignoreunknown)[\s=])/i.test(trimmed)) {
      return false;
    }
  }
  return false;
}

/**
 * Without what older versions have written for this file, where that is something else, and may stop ssh from reading on.
 * In bytes: ssh takes any, and what is no UTF-8 (a comment in Latin-1) must not come back as something else.
 */
function withoutOldLine(bytes: Buffer, configFile: string): Buffer {
  const old = `Include "${configFile.replaceAll('\\', '/')}"`;
  if (old === includeLine(configFile)) {
    return bytes;
  }
  const sought = Buffer.from(old).toString('latin1');
  const lines = bytes.toString('latin1').split('\n');
  return Buffer.from(lines.filter((line) => line.replace(/\r$/, '') !== sought).join('\n'), 'latin1');
}

/** Whether the user's configuration includes ours. */
export async function isIncluded(userConfig: string, configFile: string): Promise<boolean> {
  return holds((await readConfig(userConfig)).text, configFile);
}

/** Adds the line when it is not there; everything else of the file stays as it is. Throws `forbidden` with the line. */
export async function addInclude(userConfig: string, configFile: string): Promise<void> {
  const { real, text, bytes, mode } = await readConfig(userConfig);
  if (holds(text, configFile)) {
    return;
  }
  try {
    await mkdir(dirname(real), { recursive: true, mode: 0o700 });
    await sweepDrafts(dirname(real), abandonedAfterMs);
    const newline = text.includes('\r\n') ? '\r\n' : '\n';
    const line = Buffer.from(`${includeLine(configFile)}${newline}`);
    await replaceFile(real, Buffer.concat([line, withoutOldLine(bytes, configFile)]), mode);
  } catch (error) {
    throw isErrno(error, 'EACCES', 'EPERM', 'EROFS') ? readOnly(real, configFile, error) : error;
  }
}

function readOnly(path: string, configFile: string, cause: Error): BerthError {
  return new BerthError('forbidden', `${path} can't be changed: ${cause.message}.`, {
    field: 'userConfig',
    hint: `Put this line at its top by hand: ${includeLine(configFile)}`,
    cause,
  });
}
