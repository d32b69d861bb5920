/** What VS Code says of the verbs of workspaces. What they do, and from where, is in the table of `api/rules/lifecycle`. */
import * as vscode from 'vscode';
import type { PlainVerb } from '../../../api/rules/lifecycle';

const { t } = vscode.l10n;

/** The verbs that one command does to many rows, at once. */
export type RowVerb = PlainVerb | 'delete';

export interface VerbWords {
  /** On a button, where it is plain which workspace is meant. */
  button: string;
  /** E.g. `Starting {0}`. */
  title: (names: string) => string;
  placeHolder: string;
  /** Said when it can work on none. */
  none: string;
}

export const verbWords: Readonly<Record<RowVerb, VerbWords>> = {
  start: {
    button: t('Start'),
    title: (names) => t('Starting {0}', names),
    placeHolder: t('Workspace to start'),
    none: t('No workspace is stopped.'),
  },
  stop: {
    button: t('Stop'),
    title: (names) => t('Stopping {0}', names),
    placeHolder: t('Workspace to stop'),
    none: t('No workspace is running.'),
  },
  restart: {
    button: t('Restart'),
    title: (names) => t('Restarting {0}', names),
    placeHolder: t('Workspace to restart'),
    none: t('No workspace is running.'),
  },
  pause: {
    button: t('Pause'),
    title: (names) => t('Pausing {0}', names),
    placeHolder: t('Workspace to pause'),
    none: t('No workspace is running.'),
  },
  resume: {
    button: t('Resume'),
    title: (names) => t('Resuming {0}', names),
    placeHolder: t('Workspace to resume'),
    none: t('No workspace is paused.'),
  },
  archive: {
    button: t('Archive'),
    title: (names) => t('Archiving {0}', names),
    placeHolder: t('Workspace to archive'),
    none: t('No workspace can be archived.'),
  },
  restore: {
    button: t('Restore'),
    title: (names) => t('Restoring {0}', names),
    placeHolder: t('Workspace to restore'),
    none: t('No workspace is archived.'),
  },
  recover: {
    button: t('Recover'),
    title: (names) => t('Recovering {0}', names),
    placeHolder: t('Workspace to recover'),
    none: t('No workspace has an error.'),
  },
  delete: {
    button: t('Delete'),
    title: (names) => t('Deleting {0}', names),
    placeHolder: t('Workspace to delete'),
    none: t('There is no workspace.'),
  },
};
