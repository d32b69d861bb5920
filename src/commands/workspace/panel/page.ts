/** The page of a workspace's panel: empty places, which its script fills with what it is sent. */
import * as vscode from 'vscode';

const { t } = vscode.l10n;

export interface PanelAddresses {
  style: string;
  script: string;
  /** What the page may load beside the script, in the words of a content security policy. */
  source: string;
  nonce: string;
}

const escaped = (text: string): string => text.replace(/[&<>"']/g, (char) => `&#${char.charCodeAt(0)};`);

const section = (id: string, title: string): string =>
  `<section id="${id}" aria-labelledby="${id}-title" hidden><h2 id="${id}-title">${escaped(title)}</h2><div class="content"></div></section>`;

/** The whole page. Nothing is loaded but its own style and script. */
export function panelHtml(title: string, { style, script, source, nonce }: PanelAddresses): string {
  const policy = `default-src 'none'; style-src ${source}; script-src 'nonce-${nonce}'`;
  return `<!DOCTYPE html>
<html lang="${escaped(vscode.env.language)}">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${escaped(policy)}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<link rel="stylesheet" href="${escaped(style)}">
<title>${escaped(title)}</title>
</head>
<body>
<main>
<header><div><h1></h1><p id="state" role="status"></p></div><div id="buttons" role="toolbar" aria-label="${escaped(t('Actions'))}"></div></header>
<ul id="problems" hidden></ul>
${section('usage', t('Usage in the last 5 minutes'))}
${section('ports', t('Ports'))}
${section('volumes', t('Volumes'))}
${section('log', t('Log'))}
${section('facts', t('About'))}
</main>
<script nonce="${escaped(nonce)}" src="${escaped(script)}"></script>
</body>
</html>`;
}
