import * as vscode from 'vscode';
import type { Runner } from '../../../ui/runner';
import { Remediable } from './remediable';
import { loadPart } from '../../../client/load-part';

const { t } = vscode.l10n;

/** Workspaces that are on another machine than the container engine in use: they may be forgotten, after a dialog. */
export function workspacesElsewhere(runner: Runner): Remediable {
  return new Remediable(
    ({ remedy }) => remedy === 'forget',
    t('Forget Workspace…'),
    async (found) => {
      const { forgetWorkspaces } = await loadPart(import(/* webpackChunkName: "rare" */ './forget.js'));
      await forgetWorkspaces(runner, found);
    },
  );
}
