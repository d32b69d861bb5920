/** A workspace being described: its validation and its request. Pure, without VS Code. */
import type { Limits, RuntimeKind, WorkspaceCreate } from '../../../api';
import { cloneAddressProblem, type CloneAddressProblem } from '../../../api/rules/clone-address';
import { isName, maxNameLength } from '../../../api/rules/names';
import { moreRequest, type MoreChoices } from './more';
import { cpuBounds, isWithin, memoryBounds, parseMiB } from '../../../api/rules/sizes';

/** More workspaces than one machine has. */
const maxTried = 1_000;

export interface WorkspaceDraft {
  name: string;
  runtime: RuntimeKind;
  /** Empty: the engine's default. */
  image: string;
  cloneUrl: string;
  limits: Limits;
  docker: boolean;
  more?: MoreChoices;
}

export type NameProblem = 'empty' | 'long' | 'characters' | 'hyphen' | 'workspace' | 'volume';

/** Why a workspace can't have this name, or undefined when it can. */
export function nameProblem(
  name: string,
  taken: { workspaces: ReadonlySet<string>; volumes: ReadonlySet<string> },
): NameProblem | undefined {
  if (name === '') {
    return 'empty';
  }
  if (name.length > maxNameLength) {
    return 'long';
  }
  if (/[^a-z0-9-]/.test(name)) {
    return 'characters';
  }
  if (!isName(name)) {
    return 'hyphen';
  }
  if (taken.workspaces.has(name)) {
    return 'workspace';
  }
  return taken.volumes.has(`workspace-${name}`) ? 'volume' : undefined;
}

/**
 * A free name: `wanted` with `suffix`, else that with `-2`, `-3`, … What is too long with it is shortened, the suffix is not.
 * Where none of many is free it is the last one: who asks for a name says what is wrong with it.
 */
export function freeName(wanted: string, isFree: (name: string) => boolean, suffix = ''): string {
  let name = wanted;
  for (let number = 1; number <= maxTried; number++) {
    const tail = number === 1 ? suffix : `${suffix}-${number}`;
    const room = maxNameLength - tail.length;
    name = wanted.length <= room ? `${wanted}${tail}` : `${wanted.slice(0, room).replace(/-+$/, '')}${tail}`;
    if (isFree(name)) {
      break;
    }
  }
  return name;
}

/** Why this can't be cloned; an empty text means nothing to clone. */
export function cloneProblem(text: string): CloneAddressProblem | undefined {
  return text === '' ? undefined : cloneAddressProblem(text);
}

/** Whether a text is a number of CPUs that a workspace can have, or empty for the default. */
export const isCpuCount = (text: string): boolean => {
  const count = Number(text);
  return text.trim() === '' || isWithin(count, cpuBounds);
};

/** MiB; undefined when it is no amount of memory that a workspace can have. */
export function parseMemory(text: string): number | undefined {
  const mebibytes = parseMiB(text);
  return mebibytes !== undefined && isWithin(mebibytes, memoryBounds) ? mebibytes : undefined;
}

/** The request for the engine, which names only what differs from the defaults. */
export function toRequest(draft: WorkspaceDraft): WorkspaceCreate {
  return {
    name: draft.name,
    runtime: draft.runtime,
    ...(draft.image !== '' && { image: draft.image }),
    ...(draft.cloneUrl !== '' && { cloneUrl: draft.cloneUrl }),
    ...(Object.keys(draft.limits).length > 0 && { limits: draft.limits }),
    ...(draft.docker && { docker: true }),
    ...moreRequest(draft.more),
  };
}
