/** Why a name can't be taken, said while it is typed. */
import * as vscode from 'vscode';
import type { Store } from '../../../ui/store';
import { nameProblem } from './draft';

const { t } = vscode.l10n;

/** In words what is wrong with a name; undefined when nothing is. */
export function nameMessage(store: Store, name: string): string | undefined {
  const problem = nameProblem(name, {
    workspaces: new Set(store.workspaces.map((each) => each.name)),
    volumes: new Set(store.volumes.map((each) => each.name)),
  });
  switch (problem) {
    case undefined:
      return undefined;
    case 'empty':
      return t('Enter a name.');
    case 'long':
      return t('A name has at most 63 characters.');
    case 'characters':
      return t('Use only lowercase letters, digits and hyphens.');
    case 'hyphen':
      return t('A name neither starts nor ends with a hyphen.');
    case 'workspace':
      return t('There is a workspace “{0}” already.', name);
    case 'volume':
      return t(
        'There is a volume “workspace-{0}” already: use it as a workspace, or choose another name.',
        name,
      );
  }
}
