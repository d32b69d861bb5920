/** Which Remote-SSH extension opens our windows, if any. */
import * as vscode from 'vscode';

/** In the order in which they are preferred: an editor's own comes with it. */
export const remoteExtensions = [
  'jeanp413.open-remote-ssh',
  'codeium.windsurf-remote-openssh',
  'anysphere.remote-ssh',
  'ms-vscode-remote.remote-ssh',
  'google.antigravity-remote-openssh',
] as const;

/** Its id; undefined when none of those that are known is installed. */
export function installedRemoteExtension(): string | undefined {
  return remoteExtensions.find((id) => vscode.extensions.getExtension(id) !== undefined);
}

/** The one to install here: Microsoft's works only in Microsoft's build. */
export function installableRemoteExtension(appName: string): string {
  return /^Visual Studio Code/.test(appName) ? 'ms-vscode-remote.remote-ssh' : 'jeanp413.open-remote-ssh';
}
