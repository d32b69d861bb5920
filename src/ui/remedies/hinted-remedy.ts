import * as vscode from 'vscode';
import { hinted, hintedCommand, type Hinted } from './hinted-command';
import type { CommandId } from '../contributions/commands';
import type { RemedyButton } from './remedy-button';

const { t } = vscode.l10n;

const titles: Partial<Record<CommandId, string>> = {
  'berth.workspace.adopt': t('Use an Existing Volume…'),
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

/** The hint as it reads in a window: what it names of the command line is the title of the button beside it. */
export function hintInWindow(error: Hinted): string | undefined {
  const command = hintedCommand(error)?.command;
  const title = command && titles[command];
  return title === undefined ? error.hint : error.hint?.replace(hinted, () => t('“{0}”', title));
}
