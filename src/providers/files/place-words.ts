import * as vscode from 'vscode';
import { workspaceOfRoot } from '../../api/rules/root-files';

const { t } = vscode.l10n;

/** What people call a volume, or what is addressed in its place: the files of a workspace outside of its volumes. */
export function placeWords(volume: string): string {
  const workspace = workspaceOfRoot(volume);
  return workspace === undefined ? volume : t('File System ({0})', workspace);
}
