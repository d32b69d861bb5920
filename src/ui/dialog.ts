/**
 * The one way to a modal dialog. VS Code presses its first button on Enter and puts Cancel last, so that the first is
 * always what does no harm: whoever presses Enter too early loses nothing.
 */
import * as vscode from 'vscode';
import { Cancelled } from './cancelled';

export interface Dialog<Harmless extends string, Other extends string> {
  message: string;
  detail: string;
  /** Is it about a loss, or only a question? */
  kind?: 'warning' | 'question';
  /** The title of the button that Enter presses: it deletes, replaces and ends nothing. */
  harmless: Harmless;
  others: readonly Other[];
}

/** Answers the title of the pressed button. Throws `Cancelled` when the user closes the dialog. */
export async function choose<Harmless extends string, Other extends string>({
  message,
  detail,
  kind = 'warning',
  harmless,
  others,
}: Dialog<Harmless, Other>): Promise<Harmless | Other> {
  const show = kind === 'warning' ? vscode.window.showWarningMessage : vscode.window.showInformationMessage;
  const answer = await show<Harmless | Other>(message, { modal: true, detail }, harmless, ...others);
  if (answer === undefined) {
    throw new Cancelled();
  }
  return answer;
}
