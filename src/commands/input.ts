/** Asking: one box, one dialog, one way to back out (`Cancelled`). */
import * as vscode from 'vscode';
import type { Owner } from '../api/common';
import { choose } from '../ui/dialog';
import { Cancelled } from '../ui/runner';
import { showInformationMessage } from '../ui/messages';
import { showInStatusBar } from '../ui/pick';

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

/** One line of text, validated while typed. Throws `Cancelled` when it is closed. */
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

export interface Harm {
  message: string;
  detail: string;
  /** The button that does it. */
  act: string;
  /** The button that Enter presses: everything stays as it is, or something that does no harm is done instead. */
  harmless: { title: string; run?: () => Thenable<unknown> };
}

/** A modal question before something is destroyed; resolves only when it was confirmed. Throws `Cancelled` otherwise. */
export async function confirm({ message, detail, act, harmless }: Harm): Promise<void> {
  if ((await choose({ message, detail, harmless: harmless.title, others: [act] })) !== act) {
    await harmless.run?.();
    throw new Cancelled();
  }
}

/** A modal question before something of another tool, or of another owner, who loses it, becomes ours. Throws `Cancelled`. */
export async function confirmAdoption(
  message: string,
  { detail, act, owner }: { detail: string; act: string; owner: Owner | undefined },
): Promise<void> {
  await (owner === undefined
    ? choose({ message, detail, harmless: act, others: [] })
    : confirm({ message, detail, act, harmless: { title: t('Leave It There') } }));
}

/** Tells that something is done; with `undo`, offers to take it back. */
export async function reportDone(message: string, undo?: () => Promise<void>): Promise<void> {
  if (undo === undefined) {
    showInStatusBar(message, 5_000);
    return;
  }
  const button = t('Undo');
  if ((await showInformationMessage(message, button)) === button) {
    await undo();
  }
}
