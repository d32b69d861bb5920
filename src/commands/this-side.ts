/** On which side of a remote window Berth runs: its engine, keys and ports are of that machine. */
import * as vscode from 'vscode';
import type { Services } from './command';

type Parts = Pick<Services, 'context'>;

/**
 * What VS Code calls the remote side when Berth runs there (`wsl`, `ssh-remote`, `dev-container`): extensions of the user's
 * own machine, such as Remote-SSH, are not seen from there and know nothing of it. Undefined on the user's own machine.
 */
export function remoteSide({ context }: Parts): string | undefined {
  const isThere = context.extension.extensionKind === vscode.ExtensionKind.Workspace;
  return isThere ? vscode.env.remoteName : undefined;
}

/** Where the user's own machine reaches a port of the machine that Berth runs on. */
export async function reachedAt(parts: Parts, port: number): Promise<string> {
  const address = `127.0.0.1:${port}`;
  if (remoteSide(parts) === undefined) {
    return address;
  }
  const { authority, path } = await vscode.env.asExternalUri(vscode.Uri.parse(`http://${address}/`));
  return path === '/' || path === '' ? authority : `${authority}${path}`;
}
