/** Asking: one box, one dialog, one way to back out (`Cancelled`). */
import * as vscode from 'vscode';
import { Cancelled } from '../ui/runner';

const { t } = vscode.l10n;

export interface Question {
  title: string;
  prompt?: string;
  value?: string;
  placeHolder?: string;
  /** Part of `value` that is selected at first. */
  selection?: [number, number];
  validate?: (value: string) => string | undefined;
}

/** One line of text, validated while typed. */
export async function ask(question: Question): Promise<string> {
  const answer = await vscode.window.showInputBox({
    title: question.title,
    ignoreFocusOut: true,
    ...(question.prompt !== undefined && { prompt: question.prompt }),
    ...(question.value !== undefined && { value: question.value }),
    ...(question.placeHolder !== undefined && { placeHolder: question.placeHolder }),
    ...(question.selection !== undefined && { valueSelection: question.selection }),
    ...(question.validate !== undefined && { validateInput: question.validate }),
  });
  if (answer === undefined) {
    throw new Cancelled();
  }
  return answer;
}

/** A modal question before something is destroyed; resolves only when it was confirmed. */
export async function confirm(message: string, detail: string, button: string): Promise<void> {
  const answer = await vscode.window.showWarningMessage(message, { modal: true, detail }, button);
  if (answer !== button) {
    throw new Cancelled();
  }
}

/** Tells that something is done; with `undo`, offers to take it back. */
export async function reportDone(message: string, undo?: () => Promise<void>): Promise<void> {
  if (undo === undefined) {
    vscode.window.setStatusBarMessage(message, 5_000);
    return;
  }
  const button = t('Undo');
  if ((await vscode.window.showInformationMessage(message, button)) === button) {
    await undo();
  }
}
