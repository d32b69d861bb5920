import { existsSync } from 'node:fs';
import { join } from 'node:path';
import * as vscode from 'vscode';
import { stateDirectory } from '../../api/rules/endpoint';
import { launchOptions } from '../../ui/launch-options';
import type { Handler, Services } from '../command';
import { showInformationMessage } from '../../ui/messages';

const { t } = vscode.l10n;

/** What the engine itself wrote, also while it does not run: a file in the state directory. */
export const openEngineLog =
  ({ link, context }: Pick<Services, 'link' | 'context'>): Handler =>
  async () => {
    const { state } = link;
    const home = state.kind === 'ready' ? state.info.home : (launchOptions(context).home ?? stateDirectory());
    const path = join(home, 'engine.log');
    if (!existsSync(path)) {
      void showInformationMessage(t('The engine has written no log yet: {0} is not there.', path));
      return;
    }
    await vscode.window.showTextDocument(vscode.Uri.file(path));
  };
