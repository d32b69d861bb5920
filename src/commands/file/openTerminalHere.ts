import * as vscode from 'vscode';
import type { Workspace } from '../../api';
import { homeFolder } from '../../api/rules/home-volume';
import { workspaceOfRoot } from '../../api/rules/root-files';
import { parentPath } from '../../api/rules/volume-path';
import { pathIn } from '../../providers/files/paths';
import type { Store } from '../../ui/store';
import type { Handler, Services } from '../command';
import type { Place } from '../targets';
import { isMadeRunning } from '../workspace/lifecycle/make-running';
import { placesOrPick, type PlaceServices } from './place';
import { showInformationMessage } from '../../ui/messages';

const { t } = vscode.l10n;

interface Inside {
  workspace: Workspace;
  /** Absolute, as its shell sees it. */
  path: string;
}

/** A terminal in the folder, or in that of a file: of the workspace that has its volume, which is started for it. */
export const openTerminalHere =
  (services: PlaceServices & Pick<Services, 'runner' | 'store' | 'terminals'>): Handler =>
  async (target, selected) => {
    const [place] = await placesOrPick(services, target, selected, t('Open Terminal Here'));
    if (place === undefined) {
      return;
    }
    const { workspace, path } = insideOf(services.store, place) ?? {};
    const docker = services.store.workspaces.find(({ dockerVolume }) => dockerVolume === place.volume);
    if (workspace === undefined && docker !== undefined) {
      await offerTerminal(services, place.volume, docker);
      return;
    }
    if (workspace === undefined || path === undefined) {
      void showInformationMessage(
        t('No workspace has the volume {0} mounted: there is no terminal for its files.', place.volume),
      );
      return;
    }
    if (await isMadeRunning(services, workspace)) {
      services.terminals.open(workspace.name, place.isFolder ? path : parentPath(path)).show();
    }
  };

/** Of what Docker inside of a workspace has: a shell could not even begin in its folders. */
async function offerTerminal(
  services: Pick<Services, 'runner' | 'store' | 'terminals'>,
  volume: string,
  workspace: Workspace,
): Promise<void> {
  const open = t('Open Terminal');
  const text = t(
    'The Docker inside of {0} has the volume {1}, and only root gets into its folders.',
    workspace.label,
    volume,
  );
  if ((await showInformationMessage(text, open)) === open && (await isMadeRunning(services, workspace))) {
    services.terminals.open(workspace.name).show();
  }
}

/** Where a place is for the shell of a workspace: of the one that it was chosen in, or else of one that runs, where there is one. */
export function insideOf(store: Pick<Store, 'workspaces' | 'workspace'>, place: Place): Inside | undefined {
  const named = place.mount?.workspace ?? place.row?.inside?.workspace ?? workspaceOfRoot(place.volume);
  if (named !== undefined) {
    const workspace = store.workspace(named);
    return workspace && { workspace, path: place.mount?.target ?? place.row?.inside?.path ?? place.path };
  }
  const all = store.workspaces.flatMap((workspace) =>
    mountsOf(workspace)
      .filter(({ source }) => source === place.volume)
      .map(({ target }) => ({ workspace, path: pathIn(target, place.path.slice(1)) })),
  );
  return all.find(({ workspace }) => workspace.state === 'running') ?? all[0];
}

function mountsOf({ homeVolume, spec }: Workspace): { source: string; target: string }[] {
  const others = (spec.mounts ?? []).filter(({ kind }) => kind === 'volume');
  return [{ source: homeVolume, target: homeFolder }, ...others];
}
