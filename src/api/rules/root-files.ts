/**
 * What is addressed where volumes are, and is none: what a workspace has outside of its volumes, `rootfs@<workspace>`, and
 * the files of a snapshot, `snapshot@<id>`. No volume can have such a name.
 */
import { namePattern, snapshotIdPattern, volumeNamePattern } from './names';

const prefix = 'rootfs@';
const snapshotPrefix = 'snapshot@';
const within = (pattern: string): string => pattern.slice(1, -1);

const choices = [
  within(volumeNamePattern),
  prefix + within(namePattern),
  snapshotPrefix + within(snapshotIdPattern),
];

/** Where files are: a volume, the root file system of a workspace, or a snapshot. */
export const filesNamePattern = `^(?:${choices.join('|')})$`;

/** What the files of a workspace outside of its volumes are addressed by, in place of a volume's name. */
export function rootFilesOf(workspace: string): string {
  return prefix + workspace;
}

/** The workspace whose root file system is meant; undefined for a volume. */
export function workspaceOfRoot(name: string): string | undefined {
  return name.startsWith(prefix) ? name.slice(prefix.length) : undefined;
}

/** What the files of a snapshot are addressed by, in place of a volume's name. */
export function snapshotFilesOf(id: string): string {
  return snapshotPrefix + id;
}

/** The id of the snapshot whose files are meant; undefined for anything else. */
export function snapshotOfFiles(name: string): string | undefined {
  return name.startsWith(snapshotPrefix) ? name.slice(snapshotPrefix.length) : undefined;
}
