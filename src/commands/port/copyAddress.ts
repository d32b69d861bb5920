import * as vscode from 'vscode';
import type { Handler, Services } from '../command';
import { reachedAt } from '../this-side';
import { pickPort } from './pick';
import { showInStatusBar } from '../../ui/pick';

const { t } = vscode.l10n;

/** Copies where a published port is reached. */
export const copyPortAddress =
  (services: Pick<Services, 'link' | 'store' | 'context'>): Handler =>
  async (target) => {
    const address = await reachedAt(services, (await pickPort(services, target)).host);
    await vscode.env.clipboard.writeText(address);
    showInStatusBar(t('Copied {0}.', address), 4_000);
  };
