/** What the pages of Berth have in common: HTML that loads its own styles and scripts, and nothing else. */
import { randomBytes } from 'node:crypto';
import * as vscode from 'vscode';

/** Where a page gets its parts from. */
export interface PageAddresses {
  styles: readonly string[];
  scripts: readonly string[];
  /** What the page may load beside the scripts, in the words of a content security policy. */
  source: string;
  nonce: string;
}

/** The parts of a page, by the name of its folder below `media/`, and where they may be read from. */
export function pageMedia(extension: vscode.Uri, name: string) {
  const media = vscode.Uri.joinPath(extension, 'media');
  const folders = ['page', name].map((folder) => vscode.Uri.joinPath(media, folder));
  return {
    roots: folders,
    addresses: (webview: vscode.Webview): PageAddresses => {
      const address = (...path: string[]): string =>
        webview.asWebviewUri(vscode.Uri.joinPath(media, ...path)).toString();
      return {
        styles: [address('page', 'base.css'), address(name, 'page.css')],
        scripts: [address('page', 'base.js'), address(name, 'page.js')],
        source: webview.cspSource,
        nonce: randomBytes(16).toString('base64url'),
      };
    },
  };
}

/** Text as a part of a page, whatever it holds. */
export function escapedHtml(text: string): string {
  return text.replace(/[&<>"']/g, (char) => `&#${char.charCodeAt(0)};`);
}

/** The whole page; `main` is HTML. */
export function pageHtml(
  title: string,
  main: string,
  { styles, scripts, source, nonce }: PageAddresses,
): string {
  const policy = `default-src 'none'; style-src ${source}; script-src 'nonce-${nonce}'`;
  const links = styles.map((each) => `<link rel="stylesheet" href="${escapedHtml(each)}">`);
  const programs = scripts.map(
    (each) => `<script nonce="${escapedHtml(nonce)}" src="${escapedHtml(each)}"></script>`,
  );
  return `<!DOCTYPE html>
<html lang="${escapedHtml(vscode.env.language)}">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${escapedHtml(policy)}">
<meta name="viewport" content="width=device-width, initial-scale=1">
${links.join('\n')}
<title>${escapedHtml(title)}</title>
</head>
<body>
${main}
${programs.join('\n')}
</body>
</html>`;
}
