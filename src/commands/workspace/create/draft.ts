/** A workspace being described: its validation and its request. Pure, without VS Code. */
import type { Limits, RuntimeKind, WorkspaceCreate } from '../../../api';
import { cloneAddressProblem, type CloneAddressProblem } from '../../../api/rules/clone-address';

export interface WorkspaceDraft {
  name: string;
  runtime: RuntimeKind;
  /** Empty: the engine's default. */
  image: string;
  cloneUrl: string;
  limits: Limits;
  docker: boolean;
}

const namePattern = /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/;

export type NameProblem = 'empty' | 'long' | 'characters' | 'hyphen' | 'workspace' | 'volume';

/** Why a workspace can't have this name, or undefined when it can. */
export function nameProblem(
  name: string,
  taken: { workspaces: ReadonlySet<string>; volumes: ReadonlySet<string> },
): NameProblem | undefined {
  if (name === '') {
    return 'empty';
  }
  if (name.length > 63) {
    return 'long';
  }
  if (/[^a-z0-9-]/.test(name)) {
    return 'characters';
  }
  if (!namePattern.test(name)) {
    return 'hyphen';
  }
  if (taken.workspaces.has(name)) {
    return 'workspace';
  }
  return taken.volumes.has(`workspace-${name}`) ? 'volume' : undefined;
}

/** A free name: `wanted`, else `wanted-2`, `wanted-3`, … */
export function freeName(wanted: string, isFree: (name: string) => boolean): string {
  for (let number = 1; ; number++) {
    const name = number === 1 ? wanted : `${wanted}-${number}`;
    if (isFree(name)) {
      return name;
    }
  }
}

/** Why this can't be cloned; an empty text means nothing to clone. */
export function cloneProblem(text: string): CloneAddressProblem | undefined {
  return text === '' ? undefined : cloneAddressProblem(text);
}

export const isCpuCount = (text: string): boolean => {
  const count = Number(text);
  return text.trim() === '' || (Number.isFinite(count) && count >= 0.1 && count <= 1024);
};

/** `4096`, `4096M`, `4 GiB`: MiB; undefined when it is no amount of memory. */
export function parseMemory(text: string): number | undefined {
  const match = /^(\d+(?:\.\d+)?)\s*(m|mb|mib|g|gb|gib)?$/i.exec(text.trim());
  if (match?.[1] === undefined) {
    return undefined;
  }
  const isGiga = match[2]?.toLowerCase().startsWith('g') === true;
  const mebibytes = Math.round(Number(match[1]) * (isGiga ? 1024 : 1));
  return mebibytes >= 32 && mebibytes <= 16_777_216 ? mebibytes : undefined;
}

export function toRequest(draft: WorkspaceDraft): WorkspaceCreate {
  return {
    name: draft.name,
    runtime: draft.runtime,
    ...(draft.image !== '' && { image: draft.image }),
    ...(draft.cloneUrl !== '' && { cloneUrl: draft.cloneUrl }),
    ...(Object.keys(draft.limits).length > 0 && { limits: draft.limits }),
    ...(draft.docker && { docker: true }),
  };
}
