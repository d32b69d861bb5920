/** The ids that package.json and the code share, but those of commands, which are `CommandId` of contributions/commands. */
export const viewIds = {
  workspaces: 'berth.workspaces',
  volumes: 'berth.volumes',
  found: 'berth.found',
  changes: 'berth.changes',
} as const;

export const contextKeys = [
  /** `idle`, `starting`, `ready`, `stopped` or `failed`. */
  'berth.engineState',
  /** Docker or Podman answers. */
  'berth.containersAvailable',
  /** QEMU is there; their images come from a registry or an archive where no container engine has them. */
  'berth.microvmsAvailable',
  'berth.hasWorkspaces',
  'berth.hasVolumes',
  /** Something was copied or cut in the views. */
  'berth.canPaste',
  /** The Workspaces view shows some of them only. */
  'berth.isFiltered',
  /** What *Find in Volume…* has found shows in its view. */
  'berth.hasFound',
  /** What has changed between two sides shows in its view. */
  'berth.hasChanges',
  /** Of these changes, some can be taken over to the left side of the diff editor, or to the right one, or back out of a snapshot. */
  'berth.canTakeLeft',
  'berth.canTakeRight',
  'berth.canTakeBack',
] as const;
export type ContextKey = (typeof contextKeys)[number];

/**
 * What each setting does. Those that `act` decide what Berth runs, changes or deletes, and where: VS Code takes them
 * from the user's own settings alone, never from a folder or from the machine that a remote window is on. Those that
 * are about this `machine` act too, and are not synced to others. Those that only `show` may be set anywhere.
 */
export const settingUses = {
  stateDirectory: 'machine',
  dockerHost: 'machine',
  defaultImage: 'act',
  defaultRuntime: 'act',
  portRange: 'act',
  hostLoopback: 'act',
  'idle.pauseAfter': 'act',
  'idle.stopAfter': 'act',
  'idle.archiveAfter': 'act',
  'trash.days': 'act',
  'workspaces.groupBy': 'show',
  'workspaces.sortBy': 'show',
  'workspaces.description': 'show',
  'volumes.groupBy': 'show',
  'volumes.sortBy': 'show',
  'volumes.showForeign': 'show',
  'files.maxEditorSizeMiB': 'show',
  'files.confirmDelete': 'act',
  'ssh.includeConfig': 'machine',
  'ssh.setRemotePlatform': 'machine',
} as const satisfies Record<string, 'machine' | 'act' | 'show'>;
export type SettingId = keyof typeof settingUses;

export const terminalProfileId = 'berth.terminal';
export const walkthroughStart = 'start';
export const walkthroughId = `berth.berth#${walkthroughStart}`;
export const fileScheme = 'berth';
/** Of rows that are no files: what marks them (`row-decorations.ts`). */
export const rowScheme = 'berth-row';
