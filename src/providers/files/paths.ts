/** Paths inside volumes: absolute, `/`-separated. */
import { posix } from 'node:path';

export const parentOf = (path: string): string => posix.dirname(path);
export const baseOf = (path: string): string => posix.basename(path);
export const joinPath = (folder: string, name: string): string => posix.join(folder, name);

/** `path` is `ancestor` or lies below it. */
export function isWithin(path: string, ancestor: string): boolean {
  return path === ancestor || path.startsWith(ancestor === '/' ? '/' : `${ancestor}/`);
}

/** Without those that another one of the list contains: each thing is moved or deleted once. */
export function topmost(paths: readonly string[]): string[] {
  const unique = [...new Set(paths)];
  return unique.filter((path) => !unique.some((other) => other !== path && isWithin(path, other)));
}

/** Why a name can't be given to a file, or undefined when it can. */
export function nameProblem(name: string): 'empty' | 'slash' | 'dots' | 'long' | undefined {
  if (name.trim() === '') {
    return 'empty';
  }
  if (name.includes('/') || name.includes('\0')) {
    return 'slash';
  }
  if (name === '.' || name === '..') {
    return 'dots';
  }
  return Buffer.byteLength(name) > 255 ? 'long' : undefined;
}

/** A typed path made absolute and free of `.` and `..`; never leads above the root. */
export function normalized(typed: string): string {
  const path = posix.normalize(`/${typed.trim()}`);
  return path.length > 1 && path.endsWith('/') ? path.slice(0, -1) : path;
}
