/** Commands that are not read until one of them is called: a file of their own, see `webpack.config.js`. */
import type { Handler, Services } from './command';
import type { RareId } from './rare-ids';
import { doctor } from './engine/doctor/doctor';
import { installQemu } from './engine/installQemu';
import { openEngineLog } from './engine/openLog';
import { startDocker } from './engine/startDocker';
import { stopEngine } from './engine/stop';
import { changing } from './file/changing';
import { compareWith } from './file/compareWith';
import { copyFiles } from './file/copy';
import { copyPath } from './file/copyPath';
import { copyRelativePath } from './file/copyRelativePath';
import { cutFiles } from './file/cut';
import { deleteFiles } from './file/delete';
import { download } from './file/download';
import { duplicateFiles } from './file/duplicate';
import { newFile } from './file/newFile';
import { newFolder } from './file/newFolder';
import { openTerminalHere } from './file/openTerminalHere';
import { openToSide } from './file/openToSide';
import { pasteFiles } from './file/paste';
import { renameFile } from './file/rename';
import { uploadFiles } from './file/uploadFiles';
import { uploadFolder } from './file/uploadFolder';
import { buildImage } from './image/build';
import { pullImage } from './image/pull';
import { copyPortAddress } from './port/copyAddress';
import { openPort } from './port/open';
import { publishPort } from './port/publish';
import { removePort } from './port/remove';
import { ChangesTree } from './compare/changes-tree';
import { compareWithSource, compareWorkspaces } from './compare/compare-workspaces';
import { Comparison } from './compare/comparison';
import { clearChanges, compareAgain, openChanges } from './compare/show-changes';
import { takeOver } from './compare/take-over';
import { includeSshConfig } from './ssh/include';
import { compareSnapshot, compareSnapshots } from './snapshot/compare';
import { showStorage } from './storage/show';
import { emptyTrash } from './trash/empty';
import { restoreFromTrash } from './trash/restore';
import { filterWorkspaces } from './view/filterWorkspaces';
import { adoptVolumeAlone, takeVolumeOver } from './volume/adopt';
import { createVolume } from './volume/create';
import { deleteVolume } from './volume/delete';
import { browseSnapshot } from './volume/browseSnapshot';
import { deleteSnapshot } from './volume/deleteSnapshot';
import { findText } from './volume/findText';
import { clearFound } from './volume/clearFound';
import { FoundTree } from './volume/found-tree';
import { goToFile } from './volume/goToFile';
import { goToPath } from './volume/goToPath';
import { measureVolume } from './volume/measure';
import { openVolumeAsFolder } from './volume/openAsFolder';
import { protectVolume } from './volume/protect';
import { resizeVolume } from './volume/resize';
import { restoreSnapshot } from './volume/restoreSnapshot';
import { snapshotVolume } from './volume/snapshot';
import { openWalkthrough } from './walkthrough/open';
import { allowChanges } from './workspace/allowChanges';
import { commitWorkspace } from './workspace/commit';
import { exportWorkspace } from './workspace/export';
import { forkWorkspace } from './workspace/fork';
import { importFile } from './workspace/import';
import { keepFork } from './workspace/keep';
import { adoptVolume } from './workspace/create/adopt';
import { createWorkspace } from './workspace/create/create';
import { createWorkspaceQuick } from './workspace/create/createQuick';
import { automaticSnapshots } from './workspace/automatic-snapshots';
import { editLimits } from './workspace/editLimits';
import { archiveWorkspace } from './workspace/lifecycle/archive';
import { deleteWorkspace } from './workspace/lifecycle/delete';
import { rebuildWorkspace } from './workspace/lifecycle/rebuild';
import { recoverWorkspace } from './workspace/lifecycle/recover';
import { restoreWorkspace } from './workspace/lifecycle/restore';
import { editTags } from './workspace/marks/editTags';
import { markFavourite } from './workspace/marks/favourite';
import { protectWorkspace } from './workspace/marks/protect';
import { copySshCommand } from './workspace/open/copySshCommand';
import { openRecent } from './workspace/open/openRecent';
import { showLogs } from './workspace/open/showLogs';
import { showPanel } from './workspace/panel/panel';
import { renameWorkspace } from './workspace/rename';

export { foundLinks } from './volume/found-documents';

/** What is done by each of them. */
export const rareTable = (services: Services): Record<RareId, Handler> => ({
  ...workspaceCommands(services),
  ...fileCommands(services),
  ...searchCommands(services),
  ...compareCommands(services),
  ...otherCommands(services),
});

const workspaceCommands = (services: Services) => ({
  'berth.workspace.create': createWorkspace(services),
  'berth.workspace.createQuick': createWorkspaceQuick(services),
  'berth.workspace.archive': archiveWorkspace(services),
  'berth.workspace.restore': restoreWorkspace(services),
  'berth.workspace.recover': recoverWorkspace(services),
  'berth.workspace.rebuild': rebuildWorkspace(services),
  'berth.workspace.fork': forkWorkspace(services),
  'berth.workspace.keep': keepFork(services),
  'berth.workspace.commit': commitWorkspace(services),
  'berth.workspace.rename': renameWorkspace(services),
  'berth.workspace.editLimits': editLimits(services),
  'berth.workspace.automaticSnapshots': automaticSnapshots(services),
  'berth.workspace.editTags': editTags(services),
  'berth.workspace.addFavourite': markFavourite(services, true),
  'berth.workspace.removeFavourite': markFavourite(services, false),
  'berth.workspace.protect': protectWorkspace(services, true),
  'berth.workspace.unprotect': protectWorkspace(services, false),
  'berth.workspace.delete': deleteWorkspace(services),
  'berth.workspace.openRecent': openRecent(services),
  'berth.workspace.showPanel': showPanel(services),
  'berth.workspace.showLogs': showLogs(services),
  'berth.workspace.copySshCommand': copySshCommand(services),
  'berth.workspace.allowChanges': allowChanges(services),
  'berth.workspace.adopt': adoptVolume(services),
  'berth.port.publish': publishPort(services),
  'berth.port.remove': removePort(services),
  'berth.port.open': openPort(services),
  'berth.port.copyAddress': copyPortAddress(services),
});

function searchCommands(services: Services) {
  const found = new FoundTree(services.keys, services.context);
  return {
    'berth.volume.findText': findText({ ...services, found }),
    'berth.volume.clearFound': clearFound(found),
    'berth.volume.goToFile': goToFile(services),
  };
}

function compareCommands(services: Services) {
  const comparison = new Comparison(services.link, new ChangesTree(services.keys, services.context));
  const compared = { ...services, comparison };
  return {
    'berth.workspace.compareWithSource': compareWithSource(compared),
    'berth.workspace.compare': compareWorkspaces(compared),
    'berth.volume.compareSnapshot': compareSnapshot(compared),
    'berth.volume.compareSnapshots': compareSnapshots(compared),
    'berth.changes.open': openChanges(comparison),
    'berth.changes.again': compareAgain(comparison),
    'berth.changes.clear': clearChanges(comparison),
    'berth.changes.takeLeft': takeOver(compared, 'left'),
    'berth.changes.takeRight': takeOver(compared, 'right'),
    'berth.changes.restore': takeOver(compared, 'right'),
  };
}

const fileCommands = (services: Services) => ({
  'berth.volume.create': createVolume(services),
  'berth.volume.delete': deleteVolume(services),
  'berth.volume.protect': protectVolume(services, true),
  'berth.volume.unprotect': protectVolume(services, false),
  'berth.volume.adopt': adoptVolumeAlone(services),
  'berth.volume.takeOver': takeVolumeOver(services),
  'berth.volume.resize': resizeVolume(services),
  'berth.volume.snapshot': snapshotVolume(services),
  'berth.volume.restoreSnapshot': restoreSnapshot(services),
  'berth.volume.browseSnapshot': browseSnapshot(services),
  'berth.volume.deleteSnapshot': deleteSnapshot(services),
  'berth.volume.measure': measureVolume(services),
  'berth.volume.openAsFolder': openVolumeAsFolder(services),
  'berth.volume.goToPath': goToPath(services),
  'berth.file.newFile': changing(services, newFile(services)),
  'berth.file.newFolder': changing(services, newFolder(services)),
  'berth.file.rename': changing(services, renameFile(services)),
  'berth.file.delete': changing(services, deleteFiles(services)),
  'berth.file.uploadFiles': changing(services, uploadFiles(services)),
  'berth.file.uploadFolder': changing(services, uploadFolder(services)),
  'berth.file.download': download(services),
  'berth.file.copy': copyFiles(services),
  'berth.file.cut': changing(services, cutFiles(services)),
  'berth.file.paste': changing(services, pasteFiles(services)),
  'berth.file.copyPath': copyPath(services),
  'berth.file.copyRelativePath': copyRelativePath(services),
  'berth.file.duplicate': changing(services, duplicateFiles(services)),
  'berth.file.openToSide': openToSide(services),
  'berth.file.compareWith': compareWith(services),
  'berth.file.openTerminalHere': openTerminalHere(services),
});

const otherCommands = (services: Services) => ({
  'berth.view.filterWorkspaces': filterWorkspaces(services),
  'berth.engine.doctor': doctor(services),
  'berth.engine.openLog': openEngineLog(services),
  'berth.engine.stop': stopEngine(services),
  'berth.engine.startDocker': startDocker(services),
  'berth.engine.installQemu': installQemu(services),
  'berth.image.build': buildImage(services),
  'berth.image.pull': pullImage(services),
  'berth.storage.show': showStorage(services),
  'berth.workspace.export': exportWorkspace(services),
  'berth.workspace.import': importFile(services),
  'berth.trash.restore': restoreFromTrash(services),
  'berth.trash.empty': emptyTrash(services),
  'berth.ssh.include': includeSshConfig(services),
  'berth.walkthrough.open': openWalkthrough(),
});
