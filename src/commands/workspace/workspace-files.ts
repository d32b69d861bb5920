/** Files of workspaces, as dialogs choose them. */
import * as vscode from 'vscode';
import { BerthError } from '../../api/errors';

const { t } = vscode.l10n;

/** What a dialog offers by itself. */
export const workspaceFiles = (): Record<string, string[]> => ({ [t('Berth workspaces')]: ['berth'] });

/** Its path on the machine of the engine, which is that of the extension. Throws `not_supported`. */
export function pathOf({ scheme, fsPath }: vscode.Uri): string {
  if (scheme !== 'file') {
    throw new BerthError(
      'not_supported',
      t('Workspaces are exported to files of the machine on which Berth runs, and imported from them.'),
    );
  }
  return fsPath;
}
