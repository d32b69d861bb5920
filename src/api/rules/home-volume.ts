/** The volumes that can be the home of a workspace: their names say so. */
import { isName } from './names';
import { sessionPrefix } from './session-volume';

const prefixes = [
  { prefix: sessionPrefix, origin: 'sandkasten' },
  { prefix: 'workspace-', origin: 'ws' },
] as const;

type Origin = (typeof prefixes)[number]['origin'];

/** The name a workspace on that volume would have, and who made it; undefined for a volume that is no home. */
export function originOf(volume: string): { name: string; origin: Origin } | undefined {
  const match = prefixes.find(({ prefix }) => volume.startsWith(prefix));
  if (match === undefined) {
    return undefined;
  }
  const name = volume.slice(match.prefix.length);
  return isName(name) ? { name, origin: match.origin } : undefined;
}

/** Whether the name is kept for what workspaces have of their own: homes, and the data of a Docker inside. */
export function isReservedVolume(volume: string): boolean {
  return prefixes.some(({ prefix }) => volume.startsWith(prefix));
}

/** The home of a workspace that Berth makes. */
export function homeVolumeOf(workspace: string): string {
  return `workspace-${workspace}`;
}

/** Where it is mounted, and a login begins. */
export const homeFolder = '/home/workspace';
/** Where it is seen as well, in place of a link. */
export const homeAlias = '/workspace';
