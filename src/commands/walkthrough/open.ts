import * as vscode from 'vscode';
import type { Handler } from '../command';
import { walkthroughId } from '../../ui/ids';

/** Shows the tour. */
export const openWalkthrough = (): Handler => async () => {
  await vscode.commands.executeCommand('workbench.action.openWalkthrough', walkthroughId, false);
};
