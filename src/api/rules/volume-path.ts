/** Paths inside volumes: absolute, `/`-separated, no `..`. */
import { BerthError } from '../errors';

/**
 * The agents' own: uploads, files and saves in the making. What only begins like one belongs to somebody else
 * (images/tools/agent/names.py has the same rule).
 */
const ownName = /^\.berth-(?:stage|tmp|save|swap)-[0-9a-f]{16}$/;

/**
 * Without doubled or trailing slashes and `.`; refuses what leads out or can't be a path. Throws `bad_request`, or
 * `path_escapes` for one with `..`.
 */
export function normalizePath(path: string): string {
  if (!path.startsWith('/')) {
    throw new BerthError('bad_request', `The path ${quote(path)} must start with "/".`, { field: 'path' });
  }
  if (path.includes('\0')) {
    throw new BerthError('bad_request', `The path ${quote(path)} contains a NUL character.`, {
      field: 'path',
    });
  }
  if (hasParent(path)) {
    throw new BerthError('path_escapes', `The path ${quote(path)} contains "..".`, {
      field: 'path',
      hint: "Give the path from the volume's root.",
    });
  }
  return `/${path
    .split('/')
    .filter((part) => part !== '' && part !== '.')
    .join('/')}`;
}

/** Whether one of the names in a path is `..`, with which it may lead out of where it begins. */
export function hasParent(path: string): boolean {
  return path.split('/').includes('..');
}

/** A path below a folder. The names are taken as they are: doubled slashes and `..` stay. */
export function joinPath(folder: string, ...names: readonly string[]): string {
  return [folder === '/' ? '' : folder, ...names].join('/') || '/';
}

/** The last name of a path; '' of the root. */
export function baseName(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}

/** The folder around; the root's is the root. */
export function parentPath(path: string): string {
  return path.slice(0, path.lastIndexOf('/')) || '/';
}

/** True for the folder itself too. */
export function isInside(path: string, folder: string): boolean {
  return folder === '/' || path === folder || path.startsWith(folder + '/');
}

/** Whether a file of that name is one that an agent is making, which no list shows. */
export function isOwnName(name: string): boolean {
  return ownName.test(name);
}

/** For messages: control characters made visible. */
export function quote(path: string): string {
  return JSON.stringify(path);
}
