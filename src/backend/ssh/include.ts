/**
 * One `Include` line at the top of the user's own ssh config: before any `Host`, absolute, once, keeping the
 * file's mode and following a symlink to the file it names.
 */
import { mkdir, readFile, readlink, realpath, stat } from 'node:fs/promises';
import { homedir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { abandonedAfterMs, sweepDrafts } from '../store/drafts';
import { isErrno, replaceFile } from '../store/files';
import { quotePath } from './config';

export function defaultUserConfig(): string {
  return join(homedir(), '.ssh', 'config');
}

function includeLine(configFile: string): string {
  return `Include ${quotePath(configFile)}`;
}

async function readConfig(path: string): Promise<{ real: string; text: string; mode: number }> {
  try {
    const real = await realpath(path);
    const [text, info] = await Promise.all([readFile(real, 'utf8'), stat(real)]);
    return { real, text, mode: info.mode & 0o777 };
  } catch (error) {
    if (isErrno(error, 'ENOENT')) {
      return { real: await linkedFile(path), text: '', mode: 0o600 };
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

function holds(text: string, configFile: string): boolean {
  const wanted = [quotePath(configFile), configFile];
  for (const line of text.split(/\r?\n/)) {
    const trimmed = line.trim();
    const included = /^include[\s=]+(.*)$/i.exec(trimmed)?.[1];
    if (included !== undefined && wanted.includes(included)) {
      return true;
    }
    // Below a Host or Match line an Include belongs to that block only.
    if (/^(host|match)[\s=]/i.test(trimmed)) {
      return false;
    }
  }
  return false;
}

export async function isIncluded(userConfig: string, configFile: string): Promise<boolean> {
  return holds((await readConfig(userConfig)).text, configFile);
}

/** Adds the line when it is not there; everything else of the file stays as it is. */
export async function addInclude(userConfig: string, configFile: string): Promise<void> {
  const { real, text, mode } = await readConfig(userConfig);
  if (holds(text, configFile)) {
    return;
  }
  await mkdir(dirname(real), { recursive: true, mode: 0o700 });
  await sweepDrafts(dirname(real), abandonedAfterMs);
  const newline = text.includes('\r\n') ? '\r\n' : '\n';
  await replaceFile(real, `${includeLine(configFile)}${newline}${text}`, mode);
}
