import * as vscode from 'vscode';
import type { Handler, Services } from '../command';
import { pickPort } from './pick';

const { t } = vscode.l10n;

/** Copies where a published port is reached. */
export const copyPortAddress =
  (services: Pick<Services, 'link' | 'store'>): Handler =>
  async (target) => {
    const address = `127.0.0.1:${(await pickPort(services, target)).host}`;
    await vscode.env.clipboard.writeText(address);
    vscode.window.setStatusBarMessage(t('Copied {0}.', address), 4_000);
  };
