import * as vscode from 'vscode';
import { engineSentence } from '../operations/engine-sentences';
import { hinted, hintedCommand, hintedCommands, type Hinted } from './hinted-command';
import type { CommandId } from '../contributions/commands';
import type { RemedyButton } from './remedy-button';

const { t } = vscode.l10n;

const titles: Partial<Record<CommandId, string>> = {
  'berth.trash.restore': t('Restore from Trash…'),
  'berth.workspace.adopt': t('Use an Existing Volume…'),
  'berth.workspace.automaticSnapshots': t('Set Automatic Snapshots…'),
  'berth.workspace.commit': t('Commit to Image…'),
  'berth.workspace.create': t('Create Workspace…'),
  'berth.engine.doctor': t('Check This Machine'),
  'berth.image.build': t('Build Image'),
  'berth.image.pull': t('Pull Image…'),
  'berth.workspace.showLogs': t('Show Workspace Log'),
  'berth.workspace.rebuild': t('Rebuild…'),
  'berth.workspace.recover': t('Recover'),
  'berth.workspace.restore': t('Restore'),
  'berth.workspace.resume': t('Resume'),
  'berth.workspace.restart': t('Restart'),
  'berth.workspace.start': t('Start'),
  'berth.workspace.unprotect': t('Unprotect'),
  'berth.volume.create': t('Create Volume…'),
  'berth.volume.unprotect': t('Unprotect'),
};

/** The button for what the hint of an error recommends. */
export function hintedRemedy(error: Hinted): RemedyButton | undefined {
  const found = hintedCommand(error);
  const title = found && titles[found.command];
  return found === undefined || title === undefined
    ? undefined
    : { title, run: () => vscode.commands.executeCommand(found.command, found.workspace) };
}

/**
 * What a window has without a button for the hint, by what follows `berth`: what ends or deletes something, views, and
 * what some commands offer by themselves beside an error.
 */
const elsewhere: Readonly<Partial<Record<string, string>>> = {
  delete: t('Delete Workspace…'),
  'delete --forget': t('Forget Workspace…'),
  down: t('Stop Engine'),
  list: t('Workspaces'),
  port: t('Stop Publishing Port'),
  'start --accept-empty': t('Start with an Empty Volume…'),
  stop: t('Stop Workspace'),
  'trash empty': t('Empty Trash…'),
  'volume adopt': t('Take Over Volume…'),
  'volume delete': t('Delete Volume…'),
  'volume list': t('Volumes'),
};

/** What a command of the command line, with its flag, is called in a window; undefined where it has none for it. */
export function wordsInWindow(verb: string): string | undefined {
  const command = hintedCommands.get(verb);
  return (command && titles[command]) ?? elsewhere[verb];
}

/** The hint as it reads in a window: what it names of the command line is the title of a button beside it, or of a menu. */
export function hintInWindow({ hint }: Pick<Hinted, 'hint'>): string | undefined {
  const said = hint === undefined ? undefined : engineSentence(hint);
  return said?.replace(
    new RegExp(hinted, 'g'),
    (whole: string, verb: string, _name: unknown, flag: string = '') => {
      const words = wordsInWindow(verb + flag);
      return words === undefined ? whole : t('“{0}”', words);
    },
  );
}
