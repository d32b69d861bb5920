/** Grouping and sorting of both trees: pure, on plain data. */
import type { Volume, Workspace, WorkspaceState } from '../../api';

export type WorkspaceGrouping = 'none' | 'state' | 'runtime' | 'image';
export type WorkspaceOrder = 'name' | 'state' | 'lastUsed' | 'created';
export type VolumeGrouping = 'none' | 'role' | 'kind';
export type VolumeOrder = 'name' | 'size' | 'created';

const stateRank: Record<WorkspaceState, number> = {
  error: 0,
  creating: 1,
  starting: 1,
  resuming: 1,
  restoring: 1,
  recovering: 1,
  running: 2,
  pausing: 3,
  paused: 3,
  stopping: 4,
  stopped: 4,
  archiving: 5,
  archived: 5,
  deleting: 6,
};

const collator = new Intl.Collator(undefined, { numeric: true, sensitivity: 'base' });
const byName = (a: { name: string }, b: { name: string }): number => collator.compare(a.name, b.name);

export function sortWorkspaces(list: readonly Workspace[], order: WorkspaceOrder): Workspace[] {
  const compare = {
    name: byName,
    state: (a: Workspace, b: Workspace) => stateRank[a.state] - stateRank[b.state] || byName(a, b),
    lastUsed: (a: Workspace, b: Workspace) => b.lastUsedAt.localeCompare(a.lastUsedAt) || byName(a, b),
    created: (a: Workspace, b: Workspace) => b.createdAt.localeCompare(a.createdAt) || byName(a, b),
  }[order];
  return [...list].sort(compare);
}

/** Those of other tools and installations last: there may be dozens that have nothing to do with workspaces. */
const ofOthers = ({ role, owner }: Volume): number => (role === 'foreign' || owner !== undefined ? 1 : 0);

export function sortVolumes(list: readonly Volume[], order: VolumeOrder): Volume[] {
  const compare = {
    name: (a: Volume, b: Volume) => ofOthers(a) - ofOthers(b) || byName(a, b),
    size: (a: Volume, b: Volume) => (b.usedBytes ?? -1) - (a.usedBytes ?? -1) || byName(a, b),
    created: (a: Volume, b: Volume) => (b.createdAt ?? '').localeCompare(a.createdAt ?? '') || byName(a, b),
  }[order];
  return [...list].sort(compare);
}

/** The group a workspace belongs to; the transitions count as the state they lead to. */
export function workspaceGroup(workspace: Workspace, grouping: WorkspaceGrouping): string {
  switch (grouping) {
    case 'none':
      return '';
    case 'state':
      return settledState(workspace.state);
    case 'runtime':
      return workspace.spec.runtime;
    case 'image':
      return workspace.spec.image;
  }
}

/** Where a state in transition leads; others stay. */
export function settledState(state: WorkspaceState): WorkspaceState {
  switch (state) {
    case 'creating':
    case 'starting':
    case 'resuming':
    case 'restoring':
    case 'recovering':
      return 'running';
    case 'pausing':
      return 'paused';
    case 'stopping':
      return 'stopped';
    case 'archiving':
      return 'archived';
    default:
      return state;
  }
}

export function isInTransition(state: WorkspaceState): boolean {
  return state === 'deleting' || settledState(state) !== state;
}

/** Keys in the order in which their first member comes. */
export function groupBy<T>(list: readonly T[], keyOf: (each: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const each of list) {
    const members = groups.get(keyOf(each));
    if (members === undefined) {
      groups.set(keyOf(each), [each]);
    } else {
      members.push(each);
    }
  }
  return groups;
}
