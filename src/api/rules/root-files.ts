/**
 * What a workspace has outside of its volumes, addressed where volumes are: `rootfs@<workspace>`. No volume can have such
 * a name.
 */
import { namePattern, volumeNamePattern } from './names';

const prefix = 'rootfs@';
const within = (pattern: string): string => pattern.slice(1, -1);

/** Where files are: a volume, or the root file system of a workspace. */
export const filesNamePattern = `^(?:${within(volumeNamePattern)}|${prefix}${within(namePattern)})$`;

/** What the files of a workspace outside of its volumes are addressed by, in place of a volume's name. */
export function rootFilesOf(workspace: string): string {
  return prefix + workspace;
}

/** The workspace whose root file system is meant; undefined for a volume. */
export function workspaceOfRoot(name: string): string | undefined {
  return name.startsWith(prefix) ? name.slice(prefix.length) : undefined;
}
