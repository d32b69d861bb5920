/**
 * Names of files that are not whole yet. A draft lies beside the file that it becomes, so that a rename puts it there,
 * and has a name that nobody else makes: whatever else somebody keeps in our folders, a backup beside a disk too, stays.
 */
import { randomBytes } from 'node:crypto';
import { dirname, join } from 'node:path';

const prefix = '.berth-draft-';
const pattern = /^\.berth-draft-[0-9a-f]{32}(?:\.content|\.redo|\.lock)?$/;

/** A new draft of `path`. Files that belong to it may have its name with `.content`, `.redo` or `.lock`. */
export function draftOf(path: string): string {
  return join(dirname(path), `${prefix}${randomBytes(16).toString('hex')}`);
}

/** Whether a file of that name is a draft, or belongs to one. */
export function isDraft(name: string): boolean {
  return pattern.test(name);
}
