/** Paths inside volumes: absolute, `/`-separated. */
import { posix } from 'node:path';
import { fileNameProblem, type FileNameProblem } from '../../api/rules/names';
import { isInside } from '../../api/rules/volume-path';

/** Without those that another one of the list contains: each thing is moved or deleted once. */
export function topmost(paths: readonly string[]): string[] {
  const unique = [...new Set(paths)];
  return unique.filter((path) => !unique.some((other) => other !== path && isInside(path, other)));
}

/** Why a name that was typed can't be given to a file, or undefined when it can. */
export function nameProblem(name: string): FileNameProblem | undefined {
  return fileNameProblem(name.trim() === '' ? '' : name);
}

/** A name, or several with folders in front, in a folder; free of doubled and trailing slashes. */
export function pathIn(folder: string, name: string): string {
  return clean(`${folder}/${name}`);
}

/** A typed path made absolute and free of `.` and `..`; never leads above the root. */
export function normalized(typed: string): string {
  return clean(`/${typed.trim()}`);
}

function clean(absolute: string): string {
  const path = posix.normalize(absolute);
  return path.length > 1 && path.endsWith('/') ? path.slice(0, -1) : path;
}
