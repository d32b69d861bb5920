/** Why a file can't have a name, said while it is typed. */
import * as vscode from 'vscode';
import { nameProblem } from '../../providers/files/paths';

const { t } = vscode.l10n;

/** In words what is wrong with a name; undefined when nothing is. */
export function fileNameMessage(name: string): string | undefined {
  switch (nameProblem(name)) {
    case undefined:
      return undefined;
    case 'empty':
      return t('Enter a name.');
    case 'slash':
      return t('A name has no “/” in it.');
    case 'dots':
      return t('“.” and “..” can’t be names.');
    case 'long':
      return t('A name has at most 255 bytes.');
  }
}

/** A name may hold folders, `a/b.txt`, when a file or folder is made. */
export function newPathMessage(path: string): string | undefined {
  const parts = path.replace(/\/+$/, '').split('/');
  return parts.map((part) => fileNameMessage(part)).find((message) => message !== undefined);
}
