/** Every command by its id. The type makes sure that none is missing. */
import type { Handler, Services } from './command';
import type { CommandId } from '../ui/contributions/commands';
import { rareIds, type RareId } from './rare-ids';
import { restartEngine } from './engine/restart';
import { showLog } from './engine/showLog';
import { startEngine } from './engine/start';
import { openFile } from './file/open';
import { cancelOperation } from './operation/cancel';
import { clearFilter } from './view/clearFilter';
import { groupVolumes } from './view/groupVolumes';
import { groupWorkspaces } from './view/groupWorkspaces';
import { loadMore } from './view/loadMore';
import { refresh } from './view/refresh';
import { activateSelected, deleteSelected, renameOrActivate, renameSelected } from './view/selected';
import { showWorkspace } from './view/showWorkspace';
import { sortVolumes } from './view/sortVolumes';
import { sortWorkspaces } from './view/sortWorkspaces';
import { linkFound } from './volume/found-folder';
import { pauseWorkspace } from './workspace/lifecycle/pause';
import { restartWorkspace } from './workspace/lifecycle/restart';
import { resumeWorkspace } from './workspace/lifecycle/resume';
import { startWorkspace } from './workspace/lifecycle/start';
import { stopWorkspace } from './workspace/lifecycle/stop';
import { browseFiles } from './workspace/open/browseFiles';
import { openWorkspace } from './workspace/open/open';
import { openInNewWindow } from './workspace/open/openInNewWindow';
import { openTerminal } from './workspace/open/openTerminal';
import { loadPart } from '../client/load-part';

/** The links in documents of searches. */
export const linkFoundDocuments = (context: Services['context']) =>
  linkFound(context, async (document) => (await loadRare()).foundLinks(document));

/** What is done by each command. */
export function commandTable(services: Services): Record<CommandId, Handler> {
  return { ...often(services), ...seldom(services) };
}

/** Commands whose code is there at once. */
const often = (services: Services) => ({
  'berth.workspace.start': startWorkspace(services),
  'berth.workspace.stop': stopWorkspace(services),
  'berth.workspace.restart': restartWorkspace(services),
  'berth.workspace.pause': pauseWorkspace(services),
  'berth.workspace.resume': resumeWorkspace(services),
  'berth.workspace.open': openWorkspace(services),
  'berth.workspace.openInNewWindow': openInNewWindow(services),
  'berth.workspace.openTerminal': openTerminal(services),
  'berth.workspace.browseFiles': browseFiles(services),
  'berth.file.open': openFile(services),
  'berth.view.refresh': refresh(services),
  'berth.view.clearFilter': clearFilter(services),
  'berth.view.groupWorkspaces': groupWorkspaces(),
  'berth.view.sortWorkspaces': sortWorkspaces(),
  'berth.view.groupVolumes': groupVolumes(),
  'berth.view.sortVolumes': sortVolumes(),
  'berth.view.showWorkspace': showWorkspace(services),
  'berth.view.loadMore': loadMore(services),
  'berth.view.activate': activateSelected(services),
  'berth.view.rename': renameSelected(services),
  'berth.view.renameOrActivate': renameOrActivate(services),
  'berth.view.delete': deleteSelected(services),
  'berth.operation.cancel': cancelOperation(services),
  'berth.engine.start': startEngine(services),
  'berth.engine.restart': restartEngine(services),
  'berth.engine.showLog': showLog(services),
});

const loadRare = () => loadPart(import(/* webpackChunkName: "rare" */ './rare.js'));

/** Their handlers, made together with the first that is called, and then kept with what they remember. */
function seldom(services: Services): Record<RareId, Handler> {
  let table: Promise<Record<RareId, Handler>> | undefined;
  const handler =
    (id: RareId): Handler =>
    async (...targets) =>
      (await (table ??= loadRare().then(({ rareTable }) => rareTable(services))))[id](...targets);
  return Object.fromEntries(rareIds.map((id) => [id, handler(id)])) as Record<RareId, Handler>;
}
