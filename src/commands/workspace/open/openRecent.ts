import * as vscode from 'vscode';
import { isUsable } from '../../../api/rules/lifecycle';
import { stateIcon } from '../../../providers/trees/workspace-item';
import { pickOne } from '../../../ui/pick';
import { sortRecent, type Recent } from '../../../ui/recents';
import { Cancelled } from '../../../ui/runner';
import { stateWord, time } from '../../../ui/words';
import { showInformationMessage } from '../../../ui/messages';
import type { Handler, Services } from '../../command';
import { openRemote, type OpenServices } from './open-remote';

const { t } = vscode.l10n;

/**
 * Offers workspaces by name, what was opened or used last first, and opens the chosen one in this window. Throws
 * `Cancelled` when none is chosen.
 */
export const openRecent =
  (services: OpenServices & Pick<Services, 'link'>): Handler =>
  async () => {
    const { link, store, context } = services;
    await link.client();
    const usable = store.workspaces.filter(({ state }) => isUsable('open', state));
    if (usable.length === 0) {
      void showInformationMessage(t('No workspace can be opened.'));
      return;
    }
    const chosen = await pickOne(sortRecent(context.globalState, usable).map(itemOf), {
      placeHolder: t('Workspace to open'),
      matchOnDescription: true,
    });
    if (chosen === undefined) {
      throw new Cancelled();
    }
    await openRemote(services, chosen.workspace, false);
  };

function itemOf({ workspace, at, wasOpened }: Recent) {
  const { name, label, state } = workspace;
  const when = wasOpened ? t('opened {0}', time(at)) : t('used {0}', time(at));
  const words = [...(name === label ? [] : [name]), when, ...(state === 'running' ? [] : [stateWord(state)])];
  return { label, description: words.join(' · '), iconPath: stateIcon(state), workspace };
}
