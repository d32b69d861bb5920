/** Registers the commands: whatever goes wrong in one is said in words, and backing out is silent. */
import * as vscode from 'vscode';
import { asBerthError } from '../api';
import type { Handler, Services } from './command';
import { Cancelled } from '../ui/runner';
import { commandTable, linkFoundDocuments } from './table';
import { selectionWords } from './targets';
import { showInformationMessage } from '../ui/messages';

/** Registers all of the table; disposing it takes them away. */
export function registerCommands(services: Services): vscode.Disposable {
  const registrations = Object.entries(commandTable(services)).map(([id, handler]) =>
    vscode.commands.registerCommand(id, guarded(services, handler)),
  );
  return vscode.Disposable.from(...registrations, linkFoundDocuments(services.context));
}

/** The palette passes nothing; a menu passes its row, or `undefined` when that went away while the menu was open. */
function isStale(args: readonly unknown[]): boolean {
  return args.length > 0 && args.every((each) => each === undefined || each === null);
}

/** A handler that never rejects. */
export function guarded(
  {
    runner,
    views,
  }: { runner: Pick<Services['runner'], 'report'>; views: Pick<Services['views'], 'focused'> },
  handler: Handler,
): (...args: unknown[]) => Promise<void> {
  return async (...args) => {
    if (isStale(args)) {
      void showInformationMessage(vscode.l10n.t('That row has just changed. Please try again.'));
      return;
    }
    try {
      const view = selectionWords.get(args[0]);
      const rows = view === undefined ? [] : await views.focused(view);
      await (rows.length > 0 ? handler(rows[0], rows) : handler(args[0], args[1]));
    } catch (thrown) {
      const error = asBerthError(thrown);
      if (!(thrown instanceof Cancelled) && error.code !== 'cancelled') {
        void runner.report('Berth', error);
      }
    }
  };
}
