/** Labels on containers and volumes: the only way in which Berth knows its own again. */
import { createHash } from 'node:crypto';
import { isSessionVolume } from '../../../../api/rules/session-volume';

export const label = {
  /** Shared with other tools that follow the same convention. */
  workspace: 'workspace.name',
  managed: 'workspace.managed',
  /** Id of the installation that made it. */
  installation: 'berth.installation',
  /** State directory of that installation. */
  home: 'berth.home',
  /** What it is for: `runtime`, `home`, `docker`, `bundle`, `tools`, `claim`, `snapshots`. */
  role: 'berth.role',
  /** Version of the way in which a runtime is built. */
  plan: 'berth.plan',
  sshPort: 'berth.ssh-port',
  /** Extra ports as it was built: `18080:8080,…`. */
  ports: 'berth.ports',
  /** `off`: without a network, reached by a bridge. */
  network: 'berth.network',
  /** `engine`: it publishes nothing, and the engine dials to it, as its machine was another one when it was made. */
  reach: 'berth.reach',
  /** A volume that a user made by name. */
  volume: 'berth.volume',
  bundle: 'berth.bundle',
  /** The image of the plan, where the container was made of a private one. */
  image: 'berth.image',
  /** On a private image: whose files it keeps, and how many that are. */
  ownFiles: 'berth.own-files',
  ownCount: 'berth.own-files-count',
  ownBytes: 'berth.own-files-bytes',
  /** Volumes without a name of ours that go with the container: `name,name`. */
  carried: 'berth.carried',
  /** On a container that is to take the place of another one: the id of that one. */
  moves: 'berth.moves',
  /** On the same: the networks that the other one is taken off for the time, as JSON. */
  networks: 'berth.networks',
  /** On a claim that took the place of another installation's: whose that was. */
  claimedFrom: 'berth.claimed-from',
  claimedFromHome: 'berth.claimed-from-home',
  /** On a claim that another installation made as it gave the volume back: its owner does not know of it yet. */
  claimReturned: 'berth.claim-returned',
  /** On no object: that the owner among labels is the one that a claim names. */
  claimed: 'berth.claimed',
  /** Tells who of two that made the same volume at once was first. */
  nonce: 'berth.nonce',
  /** The process that fills the volume of the tools. */
  filler: 'berth.filler',
  keeper: 'berth.keeper',
  /** Of the session API. */
  session: 'sandkasten.workspace',
} as const;

export const planVersion = '1';

const workspacePrefix = 'workspace-';
const toolsPrefix = 'berth-tools-';
const generatedTools = /^berth-tools-.+-[0-9a-f]{12}$/;
const snapshotsPrefix = 'berth-snapshots-';
const generatedSnapshots = /^berth-snapshots-[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

type Labels = Readonly<Partial<Record<string, string>>>;

/** One for each image of tools and each set of scripts, so that old and new live side by side after an update. */
export function toolsVolumeName(version: string, imageId: string, scripts: string): string {
  const contents = createHash('sha256')
    .update(JSON.stringify([imageId, scripts]))
    .digest('hex');
  return `${toolsPrefix}${version}-${contents.slice(0, 12)}`;
}

/** Of the volume that snapshots of an installation are kept in, and of the container that keeps it from being pruned. */
export function snapshotsName(installation: string): string {
  return `${snapshotsPrefix}${installation}`;
}

/** Only a new volume is judged by these two: what is there may be the user's, which its labels say. */
export function isToolsName(name: string): boolean {
  return name.startsWith(toolsPrefix);
}

/** Whether Berth keeps the name for volumes of its own. */
export function isReservedName(name: string): boolean {
  return isToolsName(name) || name.startsWith(snapshotsPrefix);
}

/** Podman, and a start after somebody removed the volume, have left out the role: then the name is ours to the letter. */
export function isToolsVolume(name: string, labels: Labels): boolean {
  return labels[label.role] === 'tools' || (hasOnlyOurs(labels) && generatedTools.test(name));
}

function isSnapshotsVolume(name: string, labels: Labels): boolean {
  return labels[label.role] === 'snapshots' || (hasOnlyOurs(labels) && generatedSnapshots.test(name));
}

function hasOnlyOurs(labels: Labels): boolean {
  const keys = Object.keys(labels);
  return keys.every((key) => key.startsWith('berth.')) && !keys.includes(label.volume);
}

/** The dot can't be in a workspace's name, so that no home volume is ever taken for a bundle. */
export function bundleVolumeName(runtime: string, index: number): string {
  return `${runtime}.bundle-${index}`;
}

/** Whether the volume was filled from a tar bundle for that runtime. */
export function isBundleOf(runtime: string, volume: string): boolean {
  return volume.startsWith(`${runtime}.bundle-`);
}

/** An image asked for it: nobody gave it a name. */
export function isAnonymous(volume: string): boolean {
  return /^[0-9a-f]{64}$/.test(volume);
}

/** Of containers that bring something out of an image, or work on a volume, and go when that is done. */
export const helperRoles = ['export', 'script', 'tools-export', 'snapshot'] as const;
const internalRoles: readonly string[] = ['tools', 'bundle', 'claim', 'snapshots', ...helperRoles];

/** Containers that Berth needs for itself: nobody's workspace, never a holder. */
export function isInternalContainer(labels: Labels): boolean {
  return labels[label.keeper] !== undefined || internalRoles.includes(labels[label.role] ?? '');
}

/** Volumes that Berth needs for itself: not shown. */
export function isInternalVolume(name: string, labels: Labels): boolean {
  return isToolsVolume(name, labels) || isSnapshotsVolume(name, labels) || labels[label.bundle] !== undefined;
}

export type VolumeRole = 'home' | 'docker' | 'named' | 'session' | 'foreign';

/** What a volume is for: by label, else by the names that other tools use. */
export function volumeRole(
  name: string,
  labels: Labels,
): { role: VolumeRole; workspace: string | undefined } {
  const role = labels[label.role];
  if (role === 'home' || role === 'docker') {
    return { role, workspace: labels[label.workspace] };
  }
  if (labels[label.volume] !== undefined) {
    return { role: 'named', workspace: undefined };
  }
  if (labels[label.session] !== undefined || isSessionVolume(name)) {
    return { role: 'session', workspace: undefined };
  }
  if (!name.startsWith(workspacePrefix)) {
    return { role: 'foreign', workspace: undefined };
  }
  const rest = name.slice(workspacePrefix.length);
  return rest.endsWith('-docker')
    ? { role: 'docker', workspace: rest.slice(0, -'-docker'.length) }
    : { role: 'home', workspace: rest };
}
