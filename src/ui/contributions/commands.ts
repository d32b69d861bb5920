/**
 * The one table of commands: package.json is generated from it (`npm run contributions`), and its keys are all the ids there are. What a
 * command does is in commands/table.ts, what it is called in package.nls.json.
 */
import { uses } from '../../api/rules/lifecycle';
import {
  aFork,
  anyChange,
  anyVolume,
  anyWorkspace,
  belowForks,
  cancellable,
  changeThat,
  container,
  copyable,
  explorer,
  file,
  fileOrFolder,
  keepableSnapshots,
  lockedRootRow,
  mendedBy,
  offered,
  part,
  pasteTarget,
  restorableSnapshot,
  row,
  snapshotRow,
  title,
  volumeThat,
  toCommit,
  usable,
  workspaceIn,
  workspaceThat,
  writableEntry,
  writableFolder,
  writableFolderBelow,
  type CommandRow,
} from './command-row';

const rows = {
  'berth.workspace.create': {
    icon: 'add',
    menus: [title('navigation@1', 'workspaces', 'berth.workspace.createQuick')],
  },
  'berth.workspace.createQuick': { icon: 'zap', menus: [title('1_create@1', 'workspaces')] },
  'berth.workspace.start': {
    icon: 'play',
    menus: [
      row('inline@1', offered('start')),
      row('inline@1', mendedBy('start')),
      row('2_state@1', offered('start')),
    ],
  },
  'berth.workspace.stop': {
    icon: 'debug-stop',
    menus: [row('2_state@2', offered('stop'))],
  },
  'berth.workspace.restart': {
    icon: 'debug-restart',
    menus: [row('inline@1', mendedBy('restart')), row('2_state@3', offered('restart'))],
  },
  'berth.workspace.pause': { icon: 'debug-pause', menus: [row('2_state@4', offered('pause'))] },
  'berth.workspace.resume': {
    icon: 'debug-continue',
    menus: [row('inline@1', offered('resume')), row('2_state@5', offered('resume'))],
  },
  'berth.workspace.archive': { icon: 'archive', menus: [row('2b_archive@1', offered('archive'))] },
  'berth.workspace.restore': {
    icon: 'history',
    menus: [row('inline@1', offered('restore')), row('2b_archive@2', offered('restore'))],
  },
  'berth.workspace.recover': {
    icon: 'tools',
    menus: [
      row('inline@1', offered('recover')),
      row('inline@1', mendedBy('recover')),
      row('2_state@7', offered('recover')),
    ],
  },
  'berth.workspace.rebuild': {
    icon: 'layers',
    menus: [row('inline@1', mendedBy('rebuild')), row('4_edit@3', offered('rebuild'))],
  },
  'berth.workspace.fork': { icon: 'repo-forked', menus: [belowForks('1_fork@1', usable('fork'))] },
  'berth.workspace.keep': { icon: 'check-all', menus: [belowForks('1_fork@2', aFork)] },
  'berth.workspace.compareWithSource': {
    icon: 'git-compare',
    menus: [belowForks('2_compare@1', aFork)],
  },
  'berth.workspace.compare': { icon: 'git-compare', menus: [belowForks('2_compare@2', anyWorkspace)] },
  'berth.workspace.export': { icon: 'save-as', menus: [row('4_edit@5', usable('fork'))] },
  'berth.workspace.import': { icon: 'folder-opened', menus: [title('1_create@3', 'workspaces')] },
  'berth.workspace.commit': { icon: 'package', menus: [row('4_edit@4', toCommit)] },
  'berth.workspace.rename': { icon: 'edit', menus: [row('4_edit@1', anyWorkspace)] },
  'berth.workspace.editLimits': { icon: 'dashboard', menus: [row('4_edit@2', anyWorkspace)] },
  'berth.workspace.automaticSnapshots': {
    icon: 'history',
    menus: [belowForks('3_snapshots@1', anyWorkspace)],
  },
  'berth.workspace.editTags': { icon: 'tag', menus: [row('4b_mark@1', anyWorkspace)] },
  'berth.workspace.addFavourite': {
    icon: 'star-empty',
    menus: [row('4b_mark@2', workspaceThat('unfavourite'))],
  },
  'berth.workspace.removeFavourite': {
    icon: 'star-full',
    menus: [row('4b_mark@2', workspaceThat('favourite'))],
  },
  'berth.workspace.protect': { icon: 'lock', menus: [row('4b_mark@3', workspaceThat('unprotected'))] },
  'berth.workspace.unprotect': { icon: 'unlock', menus: [row('4b_mark@3', workspaceThat('protected'))] },
  'berth.workspace.delete': { icon: 'trash', menus: [row('5_delete@1', workspaceThat('unprotected'))] },
  'berth.workspace.open': {
    icon: 'window',
    menus: [
      row('inline@3', usable('open'), 'berth.workspace.openInNewWindow'),
      row('1_open@1', usable('open')),
      row('1_open@1', part('port')),
    ],
  },
  'berth.workspace.openInNewWindow': {
    icon: 'empty-window',
    menus: [row('1_open@2', usable('open')), row('1_open@2', part('port'))],
  },
  'berth.workspace.openRecent': { icon: 'history', menus: [title('1_open@1', 'workspaces')] },
  'berth.workspace.openTerminal': {
    icon: 'terminal',
    menus: [
      row('inline@2', workspaceIn('running')),
      row('1_open@3', usable('open')),
      row('1_open@3', part('port')),
    ],
  },
  'berth.workspace.showPanel': {
    icon: 'graph',
    menus: [row('3_look@0', anyWorkspace)],
  },
  'berth.workspace.showLogs': {
    icon: 'output',
    menus: [row('3_look@1', workspaceIn(...uses.logs))],
  },
  'berth.workspace.copySshCommand': {
    icon: 'copy',
    menus: [row('inline@1', part('port')), row('3_look@1', part('port')), row('3_look@2', anyWorkspace)],
  },
  'berth.workspace.browseFiles': {
    icon: 'files',
    menus: [row('inline@1', part('mount')), row('1_open@1', part('mount')), row('1_open@4', anyWorkspace)],
  },
  'berth.workspace.allowChanges': {
    icon: 'unlock',
    menus: [row('inline@1', lockedRootRow), row('4_edit@1', lockedRootRow)],
  },
  'berth.workspace.adopt': {
    icon: 'link',
    menus: [title('1_create@2', 'workspaces'), row('1_open@3', volumeThat('adoptable'))],
  },
  'berth.port.publish': { icon: 'plug', menus: [row('4_edit@5', anyWorkspace)] },
  'berth.port.remove': { icon: 'debug-disconnect', menus: [row('5_delete@1', part('published'))] },
  'berth.port.open': {
    icon: 'globe',
    menus: [row('inline@1', part('published')), row('1_open@1', part('published'))],
  },
  'berth.port.copyAddress': {
    icon: 'copy',
    menus: [row('inline@2', part('published')), row('1_open@2', part('published'))],
  },
  'berth.volume.create': { icon: 'add', menus: [title('navigation@1', 'volumes')] },
  'berth.volume.delete': { icon: 'trash', menus: [row('7_delete@1', volumeThat('deletable'))] },
  'berth.volume.protect': { icon: 'lock', menus: [row('6b_mark@1', volumeThat('unprotected'))] },
  'berth.volume.unprotect': { icon: 'unlock', menus: [row('6b_mark@1', volumeThat('protected'))] },
  'berth.volume.adopt': { icon: 'inbox', menus: [row('6_edit@1', volumeThat('ofTool'))] },
  'berth.volume.takeOver': { icon: 'inbox', menus: [row('6_edit@2', volumeThat('ofInstallation'))] },
  'berth.volume.resize': { icon: 'arrow-both', menus: [row('6_edit@4', volumeThat('resizable'))] },
  'berth.volume.snapshot': {
    icon: 'device-camera',
    menus: [
      row('inline@1', keepableSnapshots),
      row('6c_snapshot@1', volumeThat('keepable')),
      row('6c_snapshot@1', keepableSnapshots),
    ],
  },
  'berth.volume.restoreSnapshot': {
    icon: 'history',
    menus: [
      row('inline@2', restorableSnapshot),
      row('6c_snapshot@3', volumeThat('restorable')),
      row('6c_snapshot@3', restorableSnapshot),
    ],
  },
  'berth.volume.browseSnapshot': {
    icon: 'folder-opened',
    menus: [
      row('inline@1', snapshotRow),
      row('6c_snapshot@2', volumeThat('kept')),
      row('6c_snapshot@2', snapshotRow),
    ],
  },
  'berth.volume.compareSnapshot': {
    icon: 'diff',
    menus: [row('6c_snapshot@5', volumeThat('kept')), row('6c_snapshot@5', snapshotRow)],
  },
  'berth.volume.compareSnapshots': {
    icon: 'git-compare',
    menus: [row('6c_snapshot@6', volumeThat('kept')), row('6c_snapshot@6', snapshotRow)],
  },
  'berth.volume.deleteSnapshot': {
    icon: 'trash',
    menus: [row('6c_snapshot@4', volumeThat('kept')), row('6c_snapshot@4', snapshotRow)],
  },
  'berth.volume.measure': { icon: 'graph', menus: [row('6_edit@3', volumeThat('ours'))] },
  'berth.volume.openAsFolder': {
    icon: 'folder-opened',
    menus: [row('inline@3', anyVolume), row('1_open@1', container), row('1_open@2', part('mount'))],
  },
  'berth.volume.findText': {
    icon: 'search',
    menus: [
      title('1_go@3', 'volumes'),
      title('navigation@1', 'found'),
      row('1_open@4', container),
      row('1_open@4', part('mount')),
      explorer('4_search@2', 'folders'),
    ],
    keys: { key: 'ctrl+shift+f', mac: 'cmd+shift+f', views: 'window' },
  },
  'berth.volume.clearFound': {
    icon: 'clear-all',
    palette: 'berth.hasFound',
    menus: [title('navigation@2', 'found')],
  },
  'berth.volume.goToFile': {
    icon: 'go-to-search',
    menus: [
      title('1_go@2', 'volumes'),
      row('1_open@3', container),
      row('1_open@3', part('mount')),
      explorer('4_search@1', 'folders'),
    ],
    keys: { key: 'ctrl+p', mac: 'cmd+p', views: 'window' },
  },
  'berth.volume.goToPath': {
    icon: 'search',
    menus: [title('1_go@1', 'volumes'), row('1_open@2', anyVolume)],
  },
  'berth.file.open': { icon: 'go-to-file', menus: [row('1_open@1', file)] },
  'berth.file.newFile': {
    icon: 'new-file',
    menus: [row('inline@1', writableFolderBelow), row('2_new@1', writableFolder)],
  },
  'berth.file.newFolder': { icon: 'new-folder', menus: [row('2_new@2', writableFolder)] },
  'berth.file.rename': { icon: 'edit', menus: [row('6_edit@1', writableEntry)] },
  'berth.file.delete': { icon: 'trash', menus: [row('6_edit@2', writableEntry)] },
  'berth.file.uploadFiles': {
    icon: 'cloud-upload',
    menus: [row('inline@2', writableFolder, 'berth.file.uploadFolder'), row('3_transfer@1', writableFolder)],
  },
  'berth.file.uploadFolder': { icon: 'cloud-upload', menus: [row('3_transfer@2', writableFolder)] },
  'berth.file.download': {
    icon: 'cloud-download',
    menus: [row('inline@1', file), row('3_transfer@3', copyable), explorer('5_cutcopypaste@90')],
  },
  'berth.file.copy': {
    icon: 'copy',
    menus: [row('4_clip@2', copyable)],
    keys: { key: 'ctrl+c', mac: 'cmd+c', views: ['workspaces', 'volumes'] },
  },
  'berth.file.cut': {
    icon: 'copy',
    menus: [row('4_clip@1', writableEntry)],
    keys: { key: 'ctrl+x', mac: 'cmd+x', views: ['workspaces', 'volumes'] },
  },
  'berth.file.paste': {
    icon: 'clippy',
    palette: 'berth.canPaste',
    menus: [row('4_clip@3', pasteTarget)],
    keys: { key: 'ctrl+v', mac: 'cmd+v', views: ['workspaces', 'volumes'] },
  },
  'berth.file.copyPath': { icon: 'link', menus: [row('5_path@1', fileOrFolder)] },
  'berth.file.copyRelativePath': { icon: 'link', menus: [row('5_path@2', fileOrFolder)] },
  'berth.file.duplicate': { icon: 'files', menus: [row('4_clip@4', writableEntry)] },
  'berth.file.openToSide': { icon: 'split-horizontal', menus: [row('1_open@2', file)] },
  'berth.file.compareWith': { icon: 'diff', menus: [row('1_open@3', file)] },
  'berth.file.openTerminalHere': {
    icon: 'terminal',
    menus: [row('1_open@6', container), row('1_open@6', file), row('1_open@5', part('mount'))],
  },
  'berth.changes.open': {
    icon: 'diff-multiple',
    palette: 'berth.hasChanges',
    menus: [title('navigation@1', 'changes'), row('1_open@1', anyChange)],
  },
  'berth.changes.again': {
    icon: 'refresh',
    palette: 'berth.hasChanges',
    menus: [title('navigation@2', 'changes')],
  },
  'berth.changes.clear': {
    icon: 'clear-all',
    palette: 'berth.hasChanges',
    menus: [title('navigation@3', 'changes')],
  },
  'berth.changes.takeLeft': {
    icon: 'arrow-left',
    palette: 'berth.canTakeLeft',
    menus: [
      title('1_take@1', 'changes', undefined, 'berth.canTakeLeft'),
      row('inline@1', changeThat('left')),
      row('2_take@1', changeThat('left')),
    ],
  },
  'berth.changes.takeRight': {
    icon: 'arrow-right',
    palette: 'berth.canTakeRight',
    menus: [
      title('1_take@2', 'changes', undefined, 'berth.canTakeRight'),
      row('inline@2', changeThat('right')),
      row('2_take@2', changeThat('right')),
    ],
  },
  'berth.changes.restore': {
    icon: 'discard',
    palette: 'berth.canTakeBack',
    menus: [
      title('1_take@3', 'changes', undefined, 'berth.canTakeBack'),
      row('inline@1', changeThat('restore')),
      row('2_take@1', changeThat('restore')),
    ],
  },
  'berth.view.refresh': {
    icon: 'refresh',
    menus: [title('navigation@2', 'workspaces'), title('navigation@2', 'volumes')],
  },
  'berth.view.filterWorkspaces': { icon: 'filter', menus: [title('navigation@3', 'workspaces')] },
  'berth.view.clearFilter': {
    icon: 'clear-all',
    palette: 'berth.isFiltered',
    menus: [title('navigation@4', 'workspaces', undefined, 'berth.isFiltered')],
  },
  'berth.view.groupWorkspaces': { icon: 'group-by-ref-type', menus: [title('2_view@1', 'workspaces')] },
  'berth.view.sortWorkspaces': { icon: 'sort-precedence', menus: [title('2_view@2', 'workspaces')] },
  'berth.view.groupVolumes': { icon: 'group-by-ref-type', menus: [title('2_view@1', 'volumes')] },
  'berth.view.sortVolumes': { icon: 'sort-precedence', menus: [title('2_view@2', 'volumes')] },
  'berth.view.showWorkspace': { icon: 'vm', palette: 'never' },
  'berth.view.loadMore': { icon: 'ellipsis', palette: 'never' },
  'berth.view.activate': {
    icon: 'go-to-file',
    palette: 'never',
    keys: { key: 'enter', mac: 'cmd+down', views: ['workspaces', 'volumes'] },
  },
  'berth.view.rename': {
    icon: 'edit',
    palette: 'never',
    keys: { key: 'f2', mac: 'f2', views: ['workspaces', 'volumes'] },
  },
  'berth.view.renameOrActivate': {
    icon: 'edit',
    palette: 'never',
    keys: { key: 'enter', mac: 'enter', views: ['workspaces', 'volumes'], when: 'isMac' },
  },
  'berth.view.delete': {
    icon: 'trash',
    palette: 'never',
    keys: { key: 'delete', mac: 'cmd+backspace', views: ['workspaces', 'volumes'] },
  },
  'berth.operation.cancel': { icon: 'close', menus: [row('inline@1', cancellable)] },
  'berth.engine.start': { icon: 'play' },
  'berth.engine.restart': { icon: 'debug-restart', menus: [title('4_engine@2', 'workspaces')] },
  'berth.engine.doctor': { icon: 'pulse', menus: [title('4_engine@1', 'workspaces')] },
  'berth.engine.showLog': { icon: 'output', menus: [title('4_engine@3', 'workspaces')] },
  'berth.engine.openLog': { icon: 'output', menus: [title('4_engine@4', 'workspaces')] },
  'berth.engine.stop': { icon: 'debug-stop', menus: [title('4_engine@5', 'workspaces')] },
  'berth.engine.startDocker': { icon: 'play' },
  'berth.engine.installQemu': { icon: 'desktop-download' },
  'berth.image.build': { icon: 'package', menus: [title('3_image@1', 'workspaces')] },
  'berth.image.pull': { icon: 'cloud-download', menus: [title('3_image@2', 'workspaces')] },
  'berth.storage.show': { icon: 'pie-chart', menus: [title('3_look@1', 'volumes')] },
  'berth.trash.restore': {
    icon: 'discard',
    menus: [title('3_look@2', 'volumes'), title('3_look@2', 'workspaces')],
  },
  'berth.trash.empty': { icon: 'trash', menus: [title('3_look@3', 'volumes')] },
  'berth.ssh.include': { icon: 'key' },
  'berth.walkthrough.open': { icon: 'book' },
} as const satisfies Record<string, CommandRow>;

export type CommandId = keyof typeof rows;

export const commandRows: Readonly<Record<CommandId, CommandRow>> = rows;
