/**
 * The one way to a message that stays until it is read. VS Code makes links of `[text](address)` in it, of commands too:
 * what files, guests and other programs are called must not become one.
 */
import * as vscode from 'vscode';
import { plainMessage } from './plain-label';

/** Answers the button that was pressed; undefined when the message was closed. */
export function showInformationMessage<Button extends string>(
  text: string,
  ...buttons: readonly Button[]
): Thenable<Button | undefined> {
  return vscode.window.showInformationMessage<Button>(plainMessage(text), ...buttons);
}

/** As `showInformationMessage`, for what somebody should look at. */
export function showWarningMessage<Button extends string>(
  text: string,
  ...buttons: readonly Button[]
): Thenable<Button | undefined> {
  return vscode.window.showWarningMessage<Button>(plainMessage(text), ...buttons);
}

/** As `showInformationMessage`, for what went wrong. */
export function showErrorMessage<Button extends string>(
  text: string,
  ...buttons: readonly Button[]
): Thenable<Button | undefined> {
  return vscode.window.showErrorMessage<Button>(plainMessage(text), ...buttons);
}

/** Shows that something is waited for, until it is there or the user cancels the wait. Throws what `work` throws. */
export function showWait(title: string, work: Promise<unknown>): Thenable<'done' | 'cancelled'> {
  return vscode.window.withProgress(
    { location: vscode.ProgressLocation.Notification, title: plainMessage(title), cancellable: true },
    (_progress, token) =>
      new Promise<'done' | 'cancelled'>((resolve, reject) => {
        token.onCancellationRequested(() => resolve('cancelled'));
        work.then(() => resolve('done'), reject);
      }),
  );
}

/** Shows that a view is being filled until that has ended. */
export function showInView<T>(viewId: string, work: () => Promise<T>): Thenable<T> {
  return vscode.window.withProgress({ location: { viewId } }, work);
}
