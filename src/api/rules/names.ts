/** What may be the name of what: one pattern for each, for the schemas, the engine and both clients. */
import { BerthError } from '../errors';

export const maxNameLength = 63;

/** The one name of Berth: workspaces, the volumes that it makes, snapshots. */
export const namePattern = '^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$';

/** Of a volume, whoever made it. */
export const volumeNamePattern = '^[a-zA-Z0-9][a-zA-Z0-9_.-]{0,254}$';

/** Of a volume that Docker is to make: two characters at least. */
export const dockerVolumePattern = '^[a-zA-Z0-9][a-zA-Z0-9_.-]{1,254}$';

/** Of a tag of a workspace: what a shell needs no quotes for. */
export const tagPattern = '^[a-z0-9](?:[a-z0-9._-]{0,30}[a-z0-9])?$';
/** Of one workspace. */
export const maxTags = 16;

/** Of an environment variable or a secret that is given to a workspace; images may bring longer ones. */
export const variablePattern = '^[A-Za-z_][A-Za-z0-9_]{0,127}$';

/** Of a name in a folder, as Linux has it (NAME_MAX); what it is encoded to counts, not its characters. */
export const maxFileNameBytes = 255;

/** Of a path with the zero byte at its end, as Linux has it (PATH_MAX). */
export const maxPathBytes = 4096;

/** Of users and groups, as container engines have it. */
const maxUserId = 2 ** 31 - 1;

const name = new RegExp(namePattern);
const volumeName = new RegExp(volumeNamePattern);
const tag = new RegExp(tagPattern);
const variable = /^[A-Za-z_][A-Za-z0-9_]*$/;

/** Whether a workspace, or a volume of Berth's, may have this name. */
export function isName(text: string): boolean {
  return name.test(text);
}

/** Whether a volume may have this name, whoever made it. */
export function isVolumeName(text: string): boolean {
  return volumeName.test(text);
}

/** Whether a workspace may have this tag. */
export function isTag(text: string): boolean {
  return tag.test(text);
}

/** Tags as they are kept: sorted, each once. */
export function sortedTags(tags: readonly string[]): string[] {
  return [...new Set(tags)].sort();
}

/** As a shell takes it, however long. */
export function isVariableName(text: string): boolean {
  return variable.test(text);
}

/**
 * A user, alone or with a group, of the form that the schema has (`UserName`). Throws `bad_request` for an id that nobody
 * can have, whatever the kind of runtime.
 */
export function checkUser(user: string): string {
  for (const [index, id] of user.split(':').entries()) {
    if (/^\d+$/.test(id) && Number(id) > maxUserId) {
      throw new BerthError(
        'bad_request',
        `There can't be a ${index === 0 ? 'user' : 'group'} with the id ${id}: ids go up to ${maxUserId}.`,
        { field: 'user', hint: 'Use a smaller id, or a name.' },
      );
    }
  }
  return user;
}

export type FileNameProblem = 'empty' | 'slash' | 'dots' | 'long';

/** Why no file can have this name; undefined when one can. `bytes` is what it takes on a disk. */
export function fileNameProblem(text: string, bytes = utf8Bytes(text)): FileNameProblem | undefined {
  if (text === '') {
    return 'empty';
  }
  if (text.includes('/') || text.includes('\0')) {
    return 'slash';
  }
  if (text === '.' || text === '..') {
    return 'dots';
  }
  return bytes > maxFileNameBytes ? 'long' : undefined;
}

function utf8Bytes(text: string): number {
  return Buffer.byteLength(text);
}

/** The ids of snapshots, as engines make them. */
export const snapshotIdPattern = '^[0-9a-f]{12}$';
