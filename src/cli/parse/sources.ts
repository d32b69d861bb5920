/** Local paths in options, made absolute: the engine runs somewhere else. */
import { homedir } from 'node:os';
import { basename, isAbsolute, relative, resolve } from 'node:path';
import { imageFile } from '../../api/rules/image-reference';

/** `SRC:DST[:ro|rw]` with SRC absolute when it is a path; what can't be read is left for the engine to refuse. */
export function absoluteMount(text: string, cwd: string): string {
  const match = /^(.+?):(\/[^:]*(?::(?:ro|rw))?)$/s.exec(text);
  const source = match?.[1];
  const rest = match?.[2];
  if (source === undefined || rest === undefined || !isPath(source)) {
    return text;
  }
  return `${localPath(source, cwd)}:${rest}`;
}

function isPath(source: string): boolean {
  return /[/\\]|^[.~]/.test(source) || /\.(?:ext4|img|tar|tgz|tar\.gz)$/.test(source);
}

/** The name of an image, or where one is: a path in it made absolute (`./disk.ext4`, `oci:./layout:tag`). */
export function absoluteImage(text: string, cwd: string): string {
  const file = imageFile(text);
  if (file === undefined) {
    return text;
  }
  const hasDrive = /^[A-Za-z]:[/\\]/.test(file.path);
  const path = hasDrive ? file.path : localPath(file.path, cwd);
  return file.scheme === undefined ? path : `${file.scheme}:${path}`;
}

/** `SRC[:DST]`; without DST the same place below the home directory, else the base name there. */
export function parseCredential(
  text: string,
  cwd: string,
  home = homedir(),
): { source: string; target: string } {
  const split = text.lastIndexOf(':');
  // A drive letter is no separator.
  const hasTarget = split > 1 || (split === 1 && !/^[a-z]:[\\/]/i.test(text));
  const source = localPath(hasTarget ? text.slice(0, split) : text, cwd, home);
  if (hasTarget && split < text.length - 1) {
    return { source, target: text.slice(split + 1).replace(/^~\//, '') };
  }
  const below = relative(home, source);
  const inHome = below !== '' && below.split(/[\\/]/)[0] !== '..' && !isAbsolute(below);
  return { source, target: inHome ? below.replaceAll('\\', '/') : basename(source) };
}

/** A path of this machine that an option names, absolute: the engine runs in another folder. */
export function localPath(path: string, cwd: string, home = homedir()): string {
  return resolve(cwd, expandHome(path, home));
}

/** `~/x` below the home directory; the shell leaves it alone after a colon or an equals sign. */
function expandHome(path: string, home = homedir()): string {
  return path === '~' || path.startsWith('~/') ? home + path.slice(1) : path;
}
