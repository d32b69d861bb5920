/** Read-only documents of all that a search has found, with links to the lines. */
import * as vscode from 'vscode';
import { volumeUri } from '../../providers/files/volume-uri';
import { foundText, type FoundText } from './found-text';
import type { FoundLine } from '../../api';

const { t } = vscode.l10n;
const scheme = 'berth-found';
/** Older ones are forgotten: each may have megabytes. */
const maxKept = 10;

interface Page extends FoundText {
  volume: string;
}

export interface FoundPage {
  volume: string;
  /** In the tab. */
  title: string;
  /** What was asked, and what came of it. */
  head: readonly string[];
  lines: readonly FoundLine[];
}

export class FoundDocuments implements vscode.TextDocumentContentProvider, vscode.DocumentLinkProvider {
  private readonly pages = new Map<string, Page>();
  private count = 0;

  constructor(subscriptions: vscode.ExtensionContext['subscriptions']) {
    subscriptions.push(
      vscode.workspace.registerTextDocumentContentProvider(scheme, this),
      vscode.languages.registerDocumentLinkProvider({ scheme }, this),
    );
  }

  async open({ volume, title, head, lines }: FoundPage): Promise<void> {
    const path = `/${++this.count}/${title.replace(/[/\\\r\n]/g, ' ')}`;
    this.pages.set(path, { ...foundText(head, lines), volume });
    const [oldest] = this.pages.keys();
    if (this.pages.size > maxKept && oldest !== undefined) {
      this.pages.delete(oldest);
    }
    const document = await vscode.workspace.openTextDocument(vscode.Uri.from({ scheme, path }));
    await vscode.window.showTextDocument(document, { preview: false });
  }

  provideTextDocumentContent({ path }: vscode.Uri): string {
    return this.pages.get(path)?.text ?? t('This search is no longer kept. Search again.');
  }

  provideDocumentLinks({ uri }: vscode.TextDocument): vscode.DocumentLink[] {
    const page = this.pages.get(uri.path);
    return (page?.links ?? []).map(({ row, start, end, path, at }) => {
      const file = volumeUri(page?.volume ?? '', path);
      const target = at === undefined ? file : file.with({ fragment: `L${at.line},${at.column}` });
      return new vscode.DocumentLink(new vscode.Range(row, start, row, end), target);
    });
  }
}
