/** What is read from the user's machine on every start: credential files and post-start scripts. */
import type { Stats } from 'node:fs';
import { readFile, readdir, realpath, stat } from 'node:fs/promises';
import { basename, join, posix } from 'node:path';
import { mebibyte } from '../../../../api/rules/sizes';
import type { CredentialFile } from '../../../../api/workspaces/schemas';
import { homeFolder } from '../../../inside/places';
import { credentialTarget } from '../../../inside/target';
import type { InjectedFile } from '../../../drivers/driver';

const scriptDirectory = '/tmp/.berth/post-start';
const maxFileBytes = 16 * mebibyte;
/** Of all credential files: they go through a file system in memory of 64 MiB, in which they lie twice. */
const maxCredentialBytes = 24 * mebibyte;
/** What a file takes there beside its content. */
const entryBytes = 1024;
/** What nobody but the user may do with a private key, and what others may do with anything. */
const privateBits = 0o700;
const publicBits = 0o755;
/** Of files on Windows, which have no modes. */
const windowsMode = 0o644;

export interface Collected<T> {
  found: T[];
  /** What is missing or unreadable: reported as warnings, the start goes on. */
  problems: string[];
}

export interface Script {
  file: InjectedFile;
  argv: string[];
  source: string;
}

/** The file's own, but for what others may write; a private key, known by content or name, is for its user alone. */
export function modeOf(name: string, content: Buffer, own: number): number {
  const head = content.subarray(0, 128).toString('latin1');
  const isKey = /-----BEGIN [A-Z ]*PRIVATE KEY-----/.test(head);
  const isNamedKey = /^id_[a-z0-9_]+$/.test(name) || /\.(key|pem)$/.test(name);
  return own & (isKey || isNamedKey ? privateBits : publicBits);
}

interface Entry {
  source: string;
  target: string;
}

/** Of all that one names. Records of before may hold a target that is refused today: it is a problem of its own. */
async function entriesOf({ source, target }: CredentialFile, problems: string[]): Promise<Entry[]> {
  try {
    const path = credentialTarget(target);
    const isInto = target.endsWith('/') || path === homeFolder;
    const isFolder = isInto && (await stat(source)).isDirectory();
    return await filesBelow(
      { source, target: isInto && !isFolder ? posix.join(path, basename(source)) : path },
      problems,
    );
  } catch (error) {
    problems.push(notPutIn(source, error));
    return [];
  }
}

/** Links are followed, but not back into a folder that they are in. What can't be read is a problem of its own. */
async function filesBelow(
  { source, target }: Entry,
  problems: string[],
  above: string[] = [],
): Promise<Entry[]> {
  try {
    if (!(await stat(source)).isDirectory()) {
      return [{ source, target }];
    }
    const folder = await realpath(source);
    if (above.includes(folder)) {
      throw new Error('it leads back into itself');
    }
    const files: Entry[] = [];
    for (const name of await readdir(source)) {
      const entry = { source: join(source, name), target: posix.join(target, name) };
      files.push(...(await filesBelow(entry, problems, [...above, folder])));
    }
    return files;
  } catch (error) {
    problems.push(notPutIn(source, error));
    return [];
  }
}

async function readLimited(path: string): Promise<{ content: Buffer; found: Stats }> {
  const found = await stat(path);
  // Reading a FIFO would wait for somebody to write.
  if (!found.isFile()) {
    throw new Error('it is not a regular file');
  }
  const { size } = found;
  if (size > maxFileBytes) {
    throw new Error(`it has ${size} bytes, more than ${maxFileBytes}`);
  }
  return { content: await readFile(path), found };
}

/** Credential files and folders, with their modes. */
export async function readCredentials(files: readonly CredentialFile[]): Promise<Collected<InjectedFile>> {
  const result: Credentials = { found: [], problems: [], bytes: 0, tooMuch: [] };
  for (const each of files) {
    for (const file of await entriesOf(each, result.problems)) {
      await readCredential(file, result);
    }
  }
  const { found, problems, tooMuch } = result;
  const [first, ...others] = tooMuch;
  if (first !== undefined) {
    const which = others.length === 0 ? first : `${first} and ${others.length} more`;
    const limit = `${maxCredentialBytes / mebibyte} MiB`;
    problems.push(`Credentials were not put in, as all together have more than ${limit}: ${which}`);
  }
  return { found, problems };
}

/** Where all of them go, or went at an earlier start, also those that there is no room for now. */
export async function credentialTargets(files: readonly CredentialFile[]): Promise<string[]> {
  const found = files.map((each) => entriesOf(each, []));
  return (await Promise.all(found)).flat().map(({ target }) => target);
}

interface Credentials extends Collected<InjectedFile> {
  /** What is found takes so much. */
  bytes: number;
  /** Files that there is no room for. */
  tooMuch: string[];
}

async function readCredential({ source, target }: Entry, result: Credentials): Promise<void> {
  try {
    const { size } = await stat(source);
    const bytes = result.bytes + size + entryBytes;
    if (size <= maxFileBytes && bytes > maxCredentialBytes) {
      result.tooMuch.push(source);
      return;
    }
    const { content, found } = await readLimited(source);
    result.bytes = bytes;
    const own = process.platform === 'win32' ? windowsMode : found.mode;
    result.found.push({ target, mode: modeOf(basename(source), content, own), content });
  } catch (error) {
    result.problems.push(notPutIn(source, error));
  }
}

function notPutIn(source: string, error: unknown): string {
  return `Credential ${source} was not put in: ${messageOf(error)}`;
}

/** Scripts in order; a folder stands for its `*.sh`, sorted. A missing one is a problem, not an error. */
export async function readScripts(paths: readonly string[]): Promise<Collected<Script>> {
  const result: Collected<Script> = { found: [], problems: [] };
  for (const path of paths) {
    try {
      const sources = (await stat(path)).isDirectory() ? await shellScriptsIn(path) : [path];
      for (const source of sources) {
        result.found.push(await readScript(source, result.found.length));
      }
    } catch (error) {
      result.problems.push(`Post-start script ${path} was not run: ${messageOf(error)}`);
    }
  }
  return result;
}

async function shellScriptsIn(folder: string): Promise<string[]> {
  const names = await readdir(folder);
  return names
    .filter((name) => name.endsWith('.sh'))
    .sort()
    .map((name) => join(folder, name));
}

async function readScript(source: string, index: number): Promise<Script> {
  const { content } = await readLimited(source);
  const name = basename(source).replace(/[^a-zA-Z0-9._-]/g, '_');
  const target = `${scriptDirectory}/${String(index).padStart(2, '0')}-${name}`;
  const hasInterpreter = content.subarray(0, 2).toString('latin1') === '#!';
  return {
    file: { target, mode: 0o755, content },
    argv: hasInterpreter ? [target] : ['/bin/sh', target],
    source,
  };
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
