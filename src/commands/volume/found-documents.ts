/**
 * Read-only documents of all that a search has found, with links to the lines. They are files in the storage of the window,
 * so that they are still there after a reload.
 */
import { chmod } from 'node:fs/promises';
import * as vscode from 'vscode';
import { posix } from 'node:path';
import { volumeUri } from '../../providers/files/volume-uri';
import type { FoundLine } from '../../api';
import { foundFolder, type Storage } from './found-folder';
import { foundText, type FoundLink } from './found-text';

/** Older ones are removed: each may have megabytes. */
const maxKept = 10;
const linksName = 'links.json';
/** What no file can be called on one of the systems. */
const notInNames = /[/\\:*?"<>|\p{Cc}]/gu;
const maxTitle = 60;

export interface FoundPage {
  volume: string;
  /** In the tab. */
  title: string;
  /** What was asked, and what came of it. */
  head: readonly string[];
  lines: readonly FoundLine[];
  /** How many lines there are in a file, in words. */
  countWords: (count: number) => string;
}

interface Links {
  volume: string;
  links: FoundLink[];
}

/** Writes the document, and shows it. Throws what VS Code throws where it can't be written. */
export async function openFound(
  context: Storage,
  { volume, title, head, lines, countWords }: FoundPage,
): Promise<void> {
  const { fs } = vscode.workspace;
  const all = foundFolder(context);
  const folder = vscode.Uri.joinPath(all, String(Date.now()));
  const { text, links } = foundText(head, lines, countWords);
  const document = vscode.Uri.joinPath(folder, title.replace(notInNames, ' ').slice(0, maxTitle).trim());
  const content: Links = { volume, links };
  await fs.writeFile(vscode.Uri.joinPath(folder, linksName), Buffer.from(JSON.stringify(content)));
  await fs.writeFile(document, Buffer.from(text));
  await chmod(document.fsPath, 0o400);
  const names = (await fs.readDirectory(all)).map(([name]) => name).filter((name) => /^\d+$/.test(name));
  for (const name of names.sort((a, b) => Number(b) - Number(a)).slice(maxKept)) {
    await fs.delete(vscode.Uri.joinPath(all, name), { recursive: true });
  }
  await vscode.window.showTextDocument(await vscode.workspace.openTextDocument(document), { preview: false });
}

/** The links in such a document. */
export async function foundLinks(document: vscode.Uri): Promise<vscode.DocumentLink[]> {
  const file = document.with({ path: posix.join(posix.dirname(document.path), linksName) });
  const { volume, links } = JSON.parse(
    Buffer.from(await vscode.workspace.fs.readFile(file)).toString(),
  ) as Links;
  return links.map(({ row, start, end, path, at }) => {
    const found = volumeUri(volume, path);
    const target = at === undefined ? found : found.with({ fragment: `L${at.line},${at.column}` });
    return new vscode.DocumentLink(new vscode.Range(row, start, row, end), target);
  });
}
