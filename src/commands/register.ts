/** Registers the commands: whatever goes wrong in one is said in words, and backing out is silent. */
import * as vscode from 'vscode';
import { asBerthError } from '../api';
import type { Handler, Services } from './command';
import { commandIds } from './ids';
import { Cancelled } from './runner';
import { commandTable } from './table';

export function registerCommands(services: Services): vscode.Disposable {
  const table = commandTable(services);
  const registrations = commandIds.map((id) =>
    vscode.commands.registerCommand(id, guarded(services, table[id])),
  );
  return vscode.Disposable.from(...registrations);
}

function guarded({ runner }: Pick<Services, 'runner'>, handler: Handler): Handler {
  return async (target, selected) => {
    try {
      await handler(target, selected);
    } catch (thrown) {
      const error = asBerthError(thrown);
      if (!(thrown instanceof Cancelled) && error.code !== 'cancelled') {
        void runner.tell('Berth', error);
      }
    }
  };
}
