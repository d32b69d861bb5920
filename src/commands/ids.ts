/** Every id that package.json and the code share; a unit test holds the two against each other. */

export const commandIds = [
  'berth.workspace.create',
  'berth.workspace.createQuick',
  'berth.workspace.start',
  'berth.workspace.stop',
  'berth.workspace.restart',
  'berth.workspace.pause',
  'berth.workspace.resume',
  'berth.workspace.archive',
  'berth.workspace.restore',
  'berth.workspace.recover',
  'berth.workspace.rebuild',
  'berth.workspace.commit',
  'berth.workspace.rename',
  'berth.workspace.editLimits',
  'berth.workspace.delete',
  'berth.workspace.open',
  'berth.workspace.openInNewWindow',
  'berth.workspace.openTerminal',
  'berth.workspace.showLogs',
  'berth.workspace.copySshCommand',
  'berth.workspace.browseFiles',
  'berth.workspace.adopt',
  'berth.port.publish',
  'berth.port.remove',
  'berth.port.open',
  'berth.port.copyAddress',
  'berth.volume.create',
  'berth.volume.delete',
  'berth.volume.adopt',
  'berth.volume.resize',
  'berth.volume.measure',
  'berth.volume.openAsFolder',
  'berth.volume.goToPath',
  'berth.file.open',
  'berth.file.newFile',
  'berth.file.newFolder',
  'berth.file.rename',
  'berth.file.delete',
  'berth.file.uploadFiles',
  'berth.file.uploadFolder',
  'berth.file.download',
  'berth.file.copy',
  'berth.file.cut',
  'berth.file.paste',
  'berth.file.copyPath',
  'berth.view.refresh',
  'berth.view.groupWorkspaces',
  'berth.view.sortWorkspaces',
  'berth.view.groupVolumes',
  'berth.view.sortVolumes',
  'berth.view.loadMore',
  'berth.view.activate',
  'berth.view.rename',
  'berth.view.delete',
  'berth.operation.cancel',
  'berth.engine.start',
  'berth.engine.restart',
  'berth.engine.doctor',
  'berth.engine.showLog',
  'berth.image.build',
  'berth.image.pull',
  'berth.ssh.include',
  'berth.walkthrough.open',
] as const;
export type CommandId = (typeof commandIds)[number];

export const viewIds = { workspaces: 'berth.workspaces', volumes: 'berth.volumes' } as const;

export const contextKeys = [
  /** `idle`, `starting`, `ready`, `stopped` or `failed`. */
  'berth.engineState',
  /** Docker or Podman answers; microVMs need it too, as it makes their images. */
  'berth.containersAvailable',
  'berth.hasWorkspaces',
  'berth.hasVolumes',
  /** Something was copied or cut in the Volumes view. */
  'berth.canPaste',
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
  'workspaces.groupBy': 'show',
  'workspaces.sortBy': 'show',
  'workspaces.description': 'show',
  'volumes.groupBy': 'show',
  'volumes.sortBy': 'show',
  'volumes.showForeign': 'show',
  'files.maxEditorSizeMB': 'show',
  'files.confirmDelete': 'act',
  'ssh.includeConfig': 'machine',
  'ssh.setRemotePlatform': 'machine',
} as const satisfies Record<string, 'machine' | 'act' | 'show'>;
export type SettingId = keyof typeof settingUses;

export const terminalProfileId = 'berth.terminal';
export const walkthroughId = 'berth.berth#start';
export const fileScheme = 'berth';
