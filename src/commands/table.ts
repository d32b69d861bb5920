/** Every command by its id. The type makes sure that none is missing. */
import type { Handler, Services } from './command';
import type { CommandId } from '../ui/contributions/commands';
import { changing } from './file/changing';
import { restartEngine } from './engine/restart';
import { showLog } from './engine/showLog';
import { startEngine } from './engine/start';
import { copyFiles } from './file/copy';
import { copyPath } from './file/copyPath';
import { cutFiles } from './file/cut';
import { download } from './file/download';
import { newFile } from './file/newFile';
import { newFolder } from './file/newFolder';
import { openFile } from './file/open';
import { pasteFiles } from './file/paste';
import { renameFile } from './file/rename';
import { uploadFiles } from './file/uploadFiles';
import { uploadFolder } from './file/uploadFolder';
import { cancelOperation } from './operation/cancel';
import { includeSshConfig } from './ssh/include';
import { clearFilter } from './view/clearFilter';
import { groupVolumes } from './view/groupVolumes';
import { groupWorkspaces } from './view/groupWorkspaces';
import { loadMore } from './view/loadMore';
import { refresh } from './view/refresh';
import { activateSelected, deleteSelected, renameSelected } from './view/selected';
import { showWorkspace } from './view/showWorkspace';
import { sortVolumes } from './view/sortVolumes';
import { sortWorkspaces } from './view/sortWorkspaces';
import { copyPortAddress } from './port/copyAddress';
import { openPort } from './port/open';
import { removePort } from './port/remove';
import { linkFound } from './volume/found-folder';
import { measureVolume } from './volume/measure';
import { openVolumeAsFolder } from './volume/openAsFolder';
import { openWalkthrough } from './walkthrough/open';
import { archiveWorkspace } from './workspace/lifecycle/archive';
import { browseFiles } from './workspace/open/browseFiles';
import { copySshCommand } from './workspace/open/copySshCommand';
import { openWorkspace } from './workspace/open/open';
import { openInNewWindow } from './workspace/open/openInNewWindow';
import { openTerminal } from './workspace/open/openTerminal';
import { pauseWorkspace } from './workspace/lifecycle/pause';
import { recoverWorkspace } from './workspace/lifecycle/recover';
import { renameWorkspace } from './workspace/rename';
import { restartWorkspace } from './workspace/lifecycle/restart';
import { restoreWorkspace } from './workspace/lifecycle/restore';
import { resumeWorkspace } from './workspace/lifecycle/resume';
import { startWorkspace } from './workspace/lifecycle/start';
import { stopWorkspace } from './workspace/lifecycle/stop';

/** The links in documents of searches. */
export const linkFoundDocuments = (context: Services['context']) =>
  linkFound(context, async (document) => (await rare()).foundLinks(document));

/** What is done by each command. */
export function commandTable(services: Services): Record<CommandId, Handler> {
  return { ...workspaceCommands(services), ...fileCommands(services), ...otherCommands(services) };
}

function workspaceCommands(services: Services) {
  return {
    'berth.workspace.create': seldom(async () => (await rare()).createWorkspace(services)),
    'berth.workspace.createQuick': seldom(async () => (await rare()).createWorkspaceQuick(services)),
    'berth.workspace.start': startWorkspace(services),
    'berth.workspace.stop': stopWorkspace(services),
    'berth.workspace.restart': restartWorkspace(services),
    'berth.workspace.pause': pauseWorkspace(services),
    'berth.workspace.resume': resumeWorkspace(services),
    'berth.workspace.archive': archiveWorkspace(services),
    'berth.workspace.restore': restoreWorkspace(services),
    'berth.workspace.recover': recoverWorkspace(services),
    'berth.workspace.rebuild': seldom(async () => (await rare()).rebuildWorkspace(services)),
    'berth.workspace.commit': seldom(async () => (await rare()).commitWorkspace(services)),
    'berth.workspace.rename': renameWorkspace(services),
    'berth.workspace.editLimits': seldom(async () => (await rare()).editLimits(services)),
    'berth.workspace.editTags': seldom(async () => (await rare()).editTags(services)),
    'berth.workspace.addFavourite': seldom(async () => (await rare()).markFavourite(services, true)),
    'berth.workspace.removeFavourite': seldom(async () => (await rare()).markFavourite(services, false)),
    'berth.workspace.protect': seldom(async () => (await rare()).protectWorkspace(services, true)),
    'berth.workspace.unprotect': seldom(async () => (await rare()).protectWorkspace(services, false)),
    'berth.workspace.delete': seldom(async () => (await rare()).deleteWorkspace(services)),
    'berth.workspace.open': openWorkspace(services),
    'berth.workspace.openInNewWindow': openInNewWindow(services),
    'berth.workspace.openRecent': seldom(async () => (await rare()).openRecent(services)),
    'berth.workspace.openTerminal': openTerminal(services),
    'berth.workspace.showPanel': seldom(async () => (await rare()).showPanel(services)),
    'berth.workspace.showLogs': seldom(async () => (await rare()).showLogs(services)),
    'berth.workspace.copySshCommand': copySshCommand(services),
    'berth.workspace.browseFiles': browseFiles(services),
    'berth.workspace.allowChanges': seldom(async () => (await rare()).allowChanges(services)),
    'berth.workspace.adopt': seldom(async () => (await rare()).adoptVolume(services)),
    'berth.port.publish': seldom(async () => (await rare()).publishPort(services)),
    'berth.port.remove': removePort(services),
    'berth.port.open': openPort(services),
    'berth.port.copyAddress': copyPortAddress(services),
  };
}

function fileCommands(services: Services) {
  return {
    'berth.volume.create': seldom(async () => (await rare()).createVolume(services)),
    'berth.volume.delete': seldom(async () => (await rare()).deleteVolume(services)),
    'berth.volume.protect': seldom(async () => (await rare()).protectVolume(services, true)),
    'berth.volume.unprotect': seldom(async () => (await rare()).protectVolume(services, false)),
    'berth.volume.adopt': seldom(async () => (await rare()).adoptVolumeAlone(services)),
    'berth.volume.takeOver': seldom(async () => (await rare()).takeVolumeOver(services)),
    'berth.volume.resize': seldom(async () => (await rare()).resizeVolume(services)),
    'berth.volume.snapshot': seldom(async () => (await rare()).snapshotVolume(services)),
    'berth.volume.restoreSnapshot': seldom(async () => (await rare()).restoreSnapshot(services)),
    'berth.volume.deleteSnapshot': seldom(async () => (await rare()).deleteSnapshot(services)),
    'berth.volume.measure': measureVolume(services),
    'berth.volume.openAsFolder': openVolumeAsFolder(services),
    'berth.volume.findText': seldom(async () => (await rare()).findText(services)),
    'berth.volume.goToFile': seldom(async () => (await rare()).goToFile(services)),
    'berth.volume.goToPath': seldom(async () => (await rare()).goToPath(services)),
    'berth.file.open': openFile(services),
    'berth.file.newFile': changing(services, newFile(services)),
    'berth.file.newFolder': changing(services, newFolder(services)),
    'berth.file.rename': changing(services, renameFile(services)),
    'berth.file.delete': changing(
      services,
      seldom(async () => (await rare()).deleteFiles(services)),
    ),
    'berth.file.uploadFiles': changing(services, uploadFiles(services)),
    'berth.file.uploadFolder': changing(services, uploadFolder(services)),
    'berth.file.download': download(services),
    'berth.file.copy': copyFiles(services),
    'berth.file.cut': changing(services, cutFiles(services)),
    'berth.file.paste': changing(services, pasteFiles(services)),
    'berth.file.copyPath': copyPath(services),
    'berth.file.copyRelativePath': seldom(async () => (await rare()).copyRelativePath(services)),
    'berth.file.duplicate': changing(
      services,
      seldom(async () => (await rare()).duplicateFiles(services)),
    ),
    'berth.file.openToSide': seldom(async () => (await rare()).openToSide(services)),
    'berth.file.compareWith': seldom(async () => (await rare()).compareWith(services)),
    'berth.file.openTerminalHere': seldom(async () => (await rare()).openTerminalHere(services)),
  };
}

function otherCommands(services: Services) {
  return {
    'berth.view.refresh': refresh(services),
    'berth.view.filterWorkspaces': seldom(async () => (await rare()).filterWorkspaces(services)),
    'berth.view.clearFilter': clearFilter(services),
    'berth.view.groupWorkspaces': groupWorkspaces(),
    'berth.view.sortWorkspaces': sortWorkspaces(),
    'berth.view.groupVolumes': groupVolumes(),
    'berth.view.sortVolumes': sortVolumes(),
    'berth.view.showWorkspace': showWorkspace(services),
    'berth.view.loadMore': loadMore(services),
    'berth.view.activate': activateSelected(services),
    'berth.view.rename': renameSelected(services),
    'berth.view.delete': deleteSelected(services),
    'berth.operation.cancel': cancelOperation(services),
    'berth.engine.start': startEngine(services),
    'berth.engine.restart': restartEngine(services),
    'berth.engine.doctor': seldom(async () => (await rare()).doctor(services)),
    'berth.engine.showLog': showLog(services),
    'berth.engine.openLog': seldom(async () => (await rare()).openEngineLog(services)),
    'berth.engine.stop': seldom(async () => (await rare()).stopEngine(services)),
    'berth.image.build': seldom(async () => (await rare()).buildImage(services)),
    'berth.image.pull': seldom(async () => (await rare()).pullImage(services)),
    'berth.storage.show': seldom(async () => (await rare()).showStorage(services)),
    'berth.ssh.include': includeSshConfig(services),
    'berth.walkthrough.open': openWalkthrough(),
  };
}

/** Commands that few need, in a file of their own, which is read when the first of them is called. */
const rare = () => import(/* webpackChunkName: "rare" */ './rare.js');

/** A handler that is made when it is first called, and then kept with what it remembers. */
function seldom(load: () => Promise<Handler>): Handler {
  let handler: Promise<Handler> | undefined;
  return async (...targets) => (await (handler ??= load()))(...targets);
}
