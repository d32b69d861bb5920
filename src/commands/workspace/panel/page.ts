/** The page of a workspace's panel: empty places, which its script fills with what it is sent. */
import * as vscode from 'vscode';
import { escapedHtml, pageHtml, type PageAddresses } from '../../page-html';

const { t } = vscode.l10n;

const section = (id: string, title: string): string =>
  `<section id="${id}" aria-labelledby="${id}-title" hidden><h2 id="${id}-title">${escapedHtml(title)}</h2><div class="content"></div></section>`;

/** The whole page. */
export function panelHtml(title: string, addresses: PageAddresses): string {
  const main = `<main>
<header><div><h1></h1><p id="state" role="status"></p></div><div id="buttons" role="toolbar" aria-label="${escapedHtml(t('Actions'))}"></div></header>
<ul id="problems" hidden></ul>
${section('usage', t('Usage in the last 5 minutes'))}
${section('ports', t('Ports'))}
${section('volumes', t('Volumes'))}
${section('snapshots', t('Snapshots'))}
${section('log', t('Log'))}
${section('facts', t('Details'))}
</main>`;
  return pageHtml(title, main, addresses);
}
