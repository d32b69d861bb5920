import * as vscode from 'vscode';
import type { Runner } from '../../../ui/runner';
import { Remediable, type EmptyStart } from './remediable';
import { loadPart } from '../../../client/load-part';

const { t } = vscode.l10n;

/** Workspaces that did not start for want of a volume: they may go on without it, after a dialog that names it. */
export function volumesGone(runner: Runner, start: EmptyStart): Remediable {
  return new Remediable(
    ({ code }) => code === 'volume_gone',
    t('Start with an Empty Volume…'),
    async (found) => {
      const { startEmpty } = await loadPart(import(/* webpackChunkName: "rare" */ './start-empty.js'));
      await startEmpty(runner, found, start);
    },
  );
}
