/** Tells a running engine when the user changes its settings; one that does not run hears of them when it starts. */
import * as vscode from 'vscode';
import { asBerthError } from '../api';
import type { SettingId } from '../ui/ids';
import type { EngineLink, Logger } from '../ui/engine-link';
import { showWarningMessage } from '../ui/messages';

const ofEngine: readonly SettingId[] = [
  'dockerHost',
  'defaultImage',
  'defaultRuntime',
  'portRange',
  'hostLoopback',
  'idle.pauseAfter',
  'idle.stopAfter',
  'idle.archiveAfter',
];

/** Follows them until it is disposed. */
export function followSettings(link: EngineLink, log: Logger): vscode.Disposable {
  return vscode.workspace.onDidChangeConfiguration((event) => {
    if (link.state.kind === 'ready' && ofEngine.some((id) => event.affectsConfiguration(`berth.${id}`))) {
      void send(link, log);
    }
  });
}

async function send(link: EngineLink, log: Logger): Promise<void> {
  try {
    const client = await link.client();
    await link.configure(client);
    // Another container engine has other workspaces and volumes, or there is none.
    await link.reload();
  } catch (error) {
    const { message } = asBerthError(error);
    log.warn(`The engine refused the settings: ${message}`);
    void showWarningMessage(message);
  }
}
