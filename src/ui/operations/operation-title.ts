/** What an operation is called in the language of the window. The engine calls it in English. */
import * as vscode from 'vscode';
import type { Operation } from '../../api';
import type { Verb } from '../../api/rules/lifecycle';
import type { Store } from '../store';

const { t } = vscode.l10n;

type Kind = `workspace.${Verb | 'create' | 'adopt'}`;

const titles: Readonly<Record<Kind, (name: string) => string>> = {
  'workspace.create': (name) => t('Creating {0}', name),
  'workspace.adopt': (name) => t('Making workspace {0} of its volume', name),
  'workspace.start': (name) => t('Starting {0}', name),
  'workspace.stop': (name) => t('Stopping {0}', name),
  'workspace.restart': (name) => t('Restarting {0}', name),
  'workspace.pause': (name) => t('Pausing {0}', name),
  'workspace.resume': (name) => t('Resuming {0}', name),
  'workspace.archive': (name) => t('Archiving {0}', name),
  'workspace.restore': (name) => t('Restoring {0}', name),
  'workspace.recover': (name) => t('Recovering {0}', name),
  'workspace.rebuild': (name) => t('Rebuilding {0}', name),
  'workspace.delete': (name) => t('Deleting {0}', name),
};

const isKnown = (kind: string): kind is Kind => Object.hasOwn(titles, kind);

/** What has names of files in it stays as the engine says it. `store`: how workspaces are labelled. */
export function operationTitle(
  { kind, title, workspace }: Pick<Operation, 'kind' | 'title' | 'workspace'>,
  store: Pick<Store, 'workspace'>,
): string {
  return workspace !== undefined && isKnown(kind)
    ? titles[kind](store.workspace(workspace)?.label ?? workspace)
    : title;
}
