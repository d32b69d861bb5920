/** Grouping and sorting of both trees, on plain data. */
import type { Volume, Workspace, WorkspaceState } from '../../api';
import { goalOf } from '../../api/rules/lifecycle';
import { setting } from '../../ui/settings';

export type WorkspaceGrouping = 'none' | 'state' | 'runtime' | 'image';
export type WorkspaceOrder = 'name' | 'state' | 'lastUsed' | 'created';
export type VolumeGrouping = 'none' | 'role' | 'kind';
export type VolumeOrder = 'name' | 'size' | 'created';

/** Those that lead to the same state are beside each other; of them those that are not done yet come first when they come up. */
const goalRank: Record<ReturnType<typeof goalOf>, number> = {
  error: 0,
  running: 2,
  paused: 3,
  stopped: 4,
  archived: 5,
  deleting: 6,
};
const isComingUp = (state: WorkspaceState): boolean => state !== 'running' && goalOf(state) === 'running';
const stateRank = (state: WorkspaceState): number => (isComingUp(state) ? 1 : goalRank[goalOf(state)]);

const collator = new Intl.Collator(undefined, { numeric: true, sensitivity: 'base' });
const byName = (a: { name: string }, b: { name: string }): number => collator.compare(a.name, b.name);

/** A new list in that order, favourites first. */
export function sortWorkspaces(list: readonly Workspace[], order: WorkspaceOrder): Workspace[] {
  const compare = {
    name: byName,
    state: (a: Workspace, b: Workspace) => stateRank(a.state) - stateRank(b.state) || byName(a, b),
    lastUsed: (a: Workspace, b: Workspace) => b.lastUsedAt.localeCompare(a.lastUsedAt) || byName(a, b),
    created: (a: Workspace, b: Workspace) => b.createdAt.localeCompare(a.createdAt) || byName(a, b),
  }[order];
  const rank = ({ favourite }: Workspace): number => (favourite === true ? 0 : 1);
  return [...list].sort((a, b) => rank(a) - rank(b) || compare(a, b));
}

/** Whether another tool or installation made it. */
export const isOfOthers = ({ role, owner }: Volume): boolean => role === 'foreign' || owner !== undefined;

/** Those to be seen: a setting hides what others made. */
export const shownVolumes = (volumes: readonly Volume[]): Volume[] =>
  setting('volumes.showForeign', true) ? [...volumes] : volumes.filter((volume) => !isOfOthers(volume));

/** The groups by purpose, in their order. Those of others are last: there may be dozens that have nothing to do with workspaces. */
const purposes = ['home', 'named', 'session', 'foreign'] as const;

/** The group that a volume belongs to; what belongs to a workspace is beside its home. */
export function volumeGroup(volume: Volume, grouping: VolumeGrouping): string {
  switch (grouping) {
    case 'none':
      return '';
    case 'role':
      return purposeOf(volume);
    case 'kind':
      return volume.kind;
  }
}

function purposeOf(volume: Volume): (typeof purposes)[number] {
  if (isOfOthers(volume)) return 'foreign';
  return volume.role === 'docker' ? 'home' : volume.role;
}

/** What is of a workspace is beside its home. */
const byOwner = (a: Volume, b: Volume): number =>
  Number(isOfOthers(a)) - Number(isOfOthers(b)) ||
  collator.compare(a.workspace ?? a.name, b.workspace ?? b.name) ||
  byName(a, b);

/** The keys of the groups of sorted volumes, top to bottom. */
export function volumeGroups(sorted: readonly Volume[], grouping: VolumeGrouping): string[] {
  const keys = [...groupBy(sorted, (volume) => volumeGroup(volume, grouping)).keys()];
  return grouping === 'role' ? purposes.filter((purpose) => keys.includes(purpose)) : keys;
}

/** A new list in that order. */
export function sortVolumes(list: readonly Volume[], order: VolumeOrder): Volume[] {
  const compare = {
    name: byOwner,
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
      return goalOf(workspace.state);
    case 'runtime':
      return workspace.spec.runtime;
    case 'image':
      return workspace.spec.image;
  }
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
