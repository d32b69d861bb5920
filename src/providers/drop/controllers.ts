/**
 * Drag and drop of both trees. Dropped on a volume, a folder or a file's folder, things go there; dropped on a
 * workspace, into its home volume. Inside one volume a drag moves, everywhere else it copies; the message says so.
 */
import * as vscode from 'vscode';
import { asBerthError } from '../../api';
import { rootFilesOf } from '../../api/rules/root-files';
import type { Runner } from '../../ui/runner';
import { Cancelled } from '../../ui/runner';
import { parentPath } from '../../api/rules/volume-path';
import { isFixedRoot, lockedRoot, offerChanges } from '../files/fixed-roots';
import { volumeUri, type VolumePlace } from '../files/volume-uri';
import type { Store } from '../../ui/store';
import { isDirectory, type Row, type VolumeRow, type WorkspaceRow } from '../trees/rows';
import { incomingFile, sourcesOf, uriListMime, type Sources } from './sources';
import type { Transfers } from './transfers';
import { showInformationMessage } from '../../ui/messages';

const { t } = vscode.l10n;

export interface DropServices {
  transfers: Transfers;
  runner: Runner;
  store: Store;
}

/** Where a drop on a row goes; undefined where nothing can be dropped. */
export function dropPlace(
  row: Row | undefined,
  store: Pick<Store, 'workspaces' | 'workspace' | 'allowsRootChanges'>,
): VolumePlace | undefined {
  const workspace = (name: string) => store.workspaces.find((each) => each.name === name);
  switch (row?.type) {
    case 'volume':
      return { volume: row.name, path: '/' };
    case 'root':
      return isFixedRoot(store, rootFilesOf(row.workspace))
        ? undefined
        : { volume: rootFilesOf(row.workspace), path: '/' };
    case 'file':
      return row.inside?.readOnly === true
        ? undefined
        : { volume: row.volume, path: isDirectory(row.entry) ? row.path : parentPath(row.path) };
    case 'more':
      return row.inside?.readOnly === true ? undefined : { volume: row.volume, path: row.path };
    case 'mount':
      return row.readOnly ? undefined : { volume: row.volume, path: '/' };
    case 'workspace': {
      const home = workspace(row.name)?.homeVolume;
      return home === undefined ? undefined : { volume: home, path: '/' };
    }
    default:
      return undefined;
  }
}

/** Brings dropped, chosen or pasted things to a place, each kind on its way. */
export async function bring(
  { transfers }: { transfers: Pick<Transfers, 'upload' | 'place' | 'uploadStreams'> },
  sources: Sources,
  to: VolumePlace,
) {
  if (sources.local.length > 0) {
    await transfers.upload(sources.local, to);
  }
  const inside = sources.places.filter(({ volume }) => volume === to.volume);
  const outside = sources.places.filter(({ volume }) => volume !== to.volume);
  if (inside.length > 0) {
    await transfers.place(inside, to, 'move');
  }
  if (outside.length > 0) {
    await transfers.place(outside, to, 'copy');
  }
  if (sources.foreign.length + sources.files.length > 0) {
    await transfers.uploadStreams(sources.foreign, sources.files.map(incomingFile), to);
  }
}

async function drop(
  services: DropServices,
  row: Row | undefined,
  transfer: vscode.DataTransfer,
): Promise<void> {
  const to = dropPlace(row, services.store);
  const volume = row?.type === 'root' ? rootFilesOf(row.workspace) : row?.type === 'file' ? row.volume : '';
  const locked = lockedRoot(services.store, volume);
  if (to === undefined && locked !== undefined) {
    void offerChanges(locked);
    return;
  }
  if (to === undefined) {
    void showInformationMessage(t('Drop it on a volume, a folder or a workspace.'));
    return;
  }
  try {
    await bring(services, await sourcesOf(transfer), to);
  } catch (error) {
    if (!(error instanceof Cancelled)) {
      await services.runner.report(t('Dropping'), asBerthError(error));
    }
  }
}

const dropMimeTypes = [uriListMime, 'files', 'application/vnd.code.tree.berth.volumes'];

/** Files can be dragged to wherever VS Code takes files. */
function drag(rows: readonly Row[], transfer: vscode.DataTransfer): void {
  const uris = rows.flatMap((row) =>
    row.type === 'file' ? [volumeUri(row.volume, row.path).toString()] : [],
  );
  if (uris.length > 0) {
    transfer.set(uriListMime, new vscode.DataTransferItem(uris.join('\r\n')));
  }
}

function controller<T extends Row>(services: DropServices): vscode.TreeDragAndDropController<T> {
  return {
    dropMimeTypes,
    dragMimeTypes: [uriListMime],
    handleDrag: drag,
    handleDrop: (row, transfer) => drop(services, row, transfer),
  };
}

/** The drag and drop of the Volumes view. */
export const volumesDrop = (services: DropServices) => controller<VolumeRow>(services);
/** The drag and drop of the Workspaces view. */
export const workspacesDrop = (services: DropServices) => controller<WorkspaceRow>(services);
