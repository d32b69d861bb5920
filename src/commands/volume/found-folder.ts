/** Where the documents of searches are; their links are read only when one is open. */
import * as vscode from 'vscode';

export type Storage = Pick<vscode.ExtensionContext, 'storageUri' | 'globalStorageUri'>;

/** A folder for each document. */
export function foundFolder({ storageUri, globalStorageUri }: Storage): vscode.Uri {
  return vscode.Uri.joinPath(storageUri ?? globalStorageUri, 'found');
}

/** Has VS Code show their links, also of those that are there since before the window was reloaded. */
export function linkFound(
  context: Storage,
  linksIn: (document: vscode.Uri) => Promise<vscode.DocumentLink[]>,
): vscode.Disposable {
  const pattern = new vscode.RelativePattern(foundFolder(context), '**');
  return vscode.languages.registerDocumentLinkProvider(
    { pattern },
    { provideDocumentLinks: ({ uri }) => linksIn(uri) },
  );
}
