import * as vscode from 'vscode';
import type { Operation } from '../../../api';
import type { EngineClient } from '../../../client/engine-client';
import type { Runner } from '../../../ui/runner';
import { Remediable } from './remediable';

const { t } = vscode.l10n;

export type EmptyStart = (client: EngineClient, name: string) => Promise<Operation>;

/** Workspaces that did not start for want of a volume: they may go on without it, after a dialog that names it. */
export function volumesGone(runner: Runner, start: EmptyStart): Remediable {
  return new Remediable(
    ({ code }) => code === 'volume_gone',
    t('Start with an Empty Volume…'),
    async (found) => {
      const { startEmpty } = await import(/* webpackChunkName: "rare" */ '../../rare.js');
      await startEmpty(runner, found, start);
    },
  );
}
