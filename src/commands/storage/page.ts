/** The page of storage: empty places, which its script fills with what it is sent. */
import * as vscode from 'vscode';
import { escapedHtml, pageHtml, type PageAddresses } from '../page-html';

const { t } = vscode.l10n;

/** The whole page. */
export function storageHtml(addresses: PageAddresses): string {
  const title = t('Storage');
  const main = `<main>
<header><h1>${escapedHtml(title)}</h1></header>
<div id="measuring" hidden><span role="status"></span><button id="cancel" data-cancel class="secondary">${escapedHtml(t('Cancel'))}</button></div>
<p id="problem" role="alert"></p>
<section id="disk" aria-labelledby="disk-title" hidden><h2 id="disk-title">${escapedHtml(t('Disk'))}</h2><div class="content"></div></section>
<div id="sections"></div>
<div id="empty" hidden><p class="quiet">${escapedHtml(t('A workspace keeps its files in a volume of its own.'))}</p>
<button id="create" data-create>${escapedHtml(t('Create Workspace'))}</button></div>
</main>`;
  return pageHtml(title, main, addresses);
}
