import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ROOT } from '../runner/setup';
import { pseudo, untranslated } from '../support/pseudo-locale';
import { berth } from './cleanup';
import { eventually } from './support/eventually';
import { addLanguage, translateToPseudo } from './support/language';
import { useSession } from './use-session';

const slow = 90_000;

/** What is read in a part of the page, and what a screen reader is told of it. */
const textsIn = (parts: string): string => `[...document.querySelectorAll(${JSON.stringify(parts)})]
  .filter((element) => element.checkVisibility())
  .flatMap((element) => [element.innerText ?? element.textContent, element.getAttribute('aria-label')])
  .flatMap((text) => (text ?? '').split('\\n')).map((text) => text.trim()).filter((text) => text !== '')`;

/** The same of a page of ours, with its hidden titles. */
const pageTexts = `(() => {
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  const texts = [];
  for (let node = walker.nextNode(); node !== null; node = walker.nextNode())
    if (node.parentElement.checkVisibility() && !node.parentElement.closest('pre, script')) texts.push(node.data.trim());
  for (const element of document.querySelectorAll('[aria-label], [title]'))
    texts.push(element.getAttribute('aria-label') ?? '', element.getAttribute('title') ?? '');
  return texts.filter((text) => text !== '');
})()`;

/** Texts of rows that need more room than they have. */
const cutOff = (parts: string): string => `[...document.querySelectorAll(${JSON.stringify(parts)})]
  .filter((element) => element.checkVisibility() && element.scrollWidth > element.clientWidth + 1)
  .map((element) => element.textContent)`;

const rows = '.sidebar .monaco-list-row, .sidebar .monaco-list-row .label-name';
const titles = '.sidebar .pane-header .title, .sidebar .welcome-view-content';
const menu = '.monaco-menu .action-item .action-label';
const wizard =
  '.quick-input-widget .quick-input-title, .quick-input-widget .quick-input-list .label-name, .quick-input-widget .quick-input-list .label-description, .quick-input-widget .quick-input-list-label-meta, .quick-input-widget .quick-input-message';

interface Language {
  title: string;
  locale: string;
  isPseudo: boolean;
}

for (const { title, locale, isPseudo } of [
  { title: 'a German window', locale: 'de', isPseudo: false },
  { title: 'a window in a language from right to left', locale: 'ar', isPseudo: true },
] satisfies Language[]) {
  describe(title, function () {
    this.timeout(180_000);
    const name = `uil-${randomBytes(3).toString('hex')}`;
    /** English texts of ours that German has others for. */
    const english = new Set<string>();

    const ui = useSession({
      workspaces: [name],
      begins: 'in the side bar',
      own: (folder) => ({
        folder,
        locale,
        // Their names are nobody's to translate.
        settings: { 'berth.volumes.showForeign': false },
        onStart: async (vscode) => {
          await addLanguage(vscode, locale);
          if (isPseudo) await translateToPseudo(vscode, locale);
        },
      }),
    });

    before(async () => {
      for (const [from, to] of [
        ['l10n/bundle.l10n.json', 'l10n/bundle.l10n.de.json'],
        ['package.nls.json', 'package.nls.de.json'],
      ] as const) {
        const read = async (file: string) =>
          JSON.parse(await readFile(join(ROOT, file), 'utf8')) as Record<string, string>;
        const [texts, german] = [await read(from), await read(to)];
        for (const [key, text] of Object.entries(texts)) {
          if (german[key] !== text) english.add(text);
        }
      }
    });

    /** Names of ours, and what is the same in every language. */
    const named = (text: string): string =>
      text
        .replaceAll(name, '')
        .replace(/ssh berth-|\(Press 'Enter'[^)]*\)/g, '')
        .replace(
          /^Welcome$|(?:Docker|QEMU) [\d.]+|[\w./-]+:[\w.-]+|berth-ui-\w+|\bBerth\b|x86_64|CPUs?\b|SSH|127\.0\.0\.1:\d+/g,
          '',
        );
    const isOurs = (text: string): boolean =>
      isPseudo ? untranslated(named(text)) : text.split(' · ').some((part) => english.has(part));

    async function assertTranslated(what: string, parts: string, atLeast: number): Promise<void> {
      const texts = await ui.workbench.page.evaluate<string[]>(textsIn(parts));
      assert.ok(texts.length >= atLeast, `${what} shows: ${texts.join(' | ')}`);
      assert.deepEqual(texts.filter(isOurs), [], what);
      assert.ok(isPseudo ? texts.some((text) => text.includes('⟦')) : true, texts.join(' | '));
    }

    it('has rows, menus and welcome texts in its language', async () => {
      const { workbench } = ui;
      const { page } = workbench;
      await page.locator('.sidebar .welcome-view-content .monaco-button').first().waitFor({ timeout: slow });
      await assertTranslated('the welcome', titles, 3);
      await workbench.screenshot(`language-${locale}-welcome`);
      await berth(ui.session, 'create', name, '--publish', '8000');
      const item = page.locator('.sidebar .monaco-list-row').filter({ hasText: name }).first();
      await item.waitFor({ timeout: slow });
      await item.click();
      await page.keyboard.press('ArrowRight');
      await page.locator('.sidebar .monaco-list-row').filter({ hasText: '8000' }).waitFor({ timeout: slow });
      await eventually('translated rows', () => assertTranslated('the rows', rows, 8));
      await workbench.screenshot(`language-${locale}-rows`);
      if (!isPseudo) {
        assert.deepEqual(await page.evaluate<string[]>(cutOff('.sidebar .monaco-list-row .label-name')), []);
      }
      const title = isPseudo
        ? pseudo('Show Workspace Panel')
        : await german('command.workspace.showPanel.title');
      await workbench.tree('Workspaces').row(name).menuEntries(title);
      await assertTranslated('the menu', menu, 8);
      await workbench.screenshot(`language-${locale}-menu`);
      await page.keyboard.press('Escape');
    });

    it('has the wizard in its language', async () => {
      const { workbench } = ui;
      const { page, quickInput } = workbench;
      await page.locator('.sidebar .pane-header').first().hover();
      await page.locator('.sidebar .pane-header .action-label.codicon-add').first().click();
      for (let step = 1; step <= 7; step += 1) {
        await eventually(`step ${step}`, async () =>
          assert.match(await quickInput.title(), new RegExp(`${step}/7`)),
        );
        await assertTranslated(`step ${step} of the wizard`, wizard, 2);
        await workbench.screenshot(`language-${locale}-wizard-${step}`);
        if (!isPseudo) {
          const cut = await page.evaluate<string[]>(cutOff('.quick-input-list .label-name'));
          assert.deepEqual(cut, [], `step ${step}`);
        }
        if (step === 1) await quickInput.enter(`${name}-2`);
        else if (step < 7) await page.keyboard.press('Enter');
      }
      await quickInput.cancel();
    });

    it('has the panel of a workspace in its language, and room for it', async () => {
      const { workbench } = ui;
      const { page } = workbench;
      const title = isPseudo
        ? pseudo('Show Workspace Panel')
        : await german('command.workspace.showPanel.title');
      await workbench.tree('Workspaces').row(name).contextMenu(title);
      const body = page.frameLocator('iframe.webview').frameLocator('#active-frame');
      await body.locator('#facts').waitFor({ timeout: slow });
      const shown = await body.locator('#facts').elementHandle();
      const frame = (await shown.ownerFrame()) ?? assert.fail('no panel');
      const texts = await frame.evaluate<string[]>(pageTexts);
      assert.ok(texts.length > 15, texts.join(' | '));
      assert.deepEqual(texts.filter(isOurs), []);
      const beyond = await frame.evaluate<number>(
        'document.documentElement.scrollWidth - document.documentElement.clientWidth',
      );
      assert.ok(beyond <= 0, `${beyond} pixels are out of sight`);
      await workbench.screenshot(`language-${locale}-panel`);
    });
  });
}

const german = async (key: string): Promise<string> =>
  (JSON.parse(await readFile(join(ROOT, 'package.nls.de.json'), 'utf8')) as Record<string, string>)[key] ??
  assert.fail(key);
