/** On which side of a remote window Berth runs: its engine, keys and ports are of that machine. */
import * as vscode from 'vscode';

/** As much of VS Code's context as tells where the extension runs. */
export interface Placed {
  context: { extension: Pick<vscode.Extension<unknown>, 'extensionKind'> };
}

/**
 * What VS Code calls the remote side when Berth runs there (`wsl`, `ssh-remote`, `dev-container`): extensions of the user's
 * own machine, such as Remote-SSH, are not seen from there and know nothing of it. Undefined on the user's own machine.
 */
export function remoteSide({ context }: Placed): string | undefined {
  const isThere = context.extension.extensionKind === vscode.ExtensionKind.Workspace;
  return isThere ? vscode.env.remoteName : undefined;
}

/**
 * The remote side, when the Remote-SSH extension that would open a window runs on another machine than Berth: that one reads
 * its own SSH config and settings. A server that shows its windows in a browser is one machine with its extensions, settings
 * and files; VS Code names it by its address there, and a remote side of any other kind by a word.
 */
export function sideApartFromRemoteSsh(parts: Placed): string | undefined {
  const side = remoteSide(parts);
  const isServed = vscode.env.uiKind === vscode.UIKind.Web && side !== undefined && /[.:]/.test(side);
  return isServed ? undefined : side;
}

/** Where the user's own machine reaches a port of the machine that Berth runs on. */
export async function reachedAt(parts: Placed, port: number): Promise<string> {
  const address = `127.0.0.1:${port}`;
  if (remoteSide(parts) === undefined) {
    return address;
  }
  const { authority, path } = await vscode.env.asExternalUri(vscode.Uri.parse(`http://${address}/`));
  return path === '/' || path === '' ? authority : `${authority}${path}`;
}
