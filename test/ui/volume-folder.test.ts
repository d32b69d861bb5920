import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { berth } from './cleanup';
import { eventually } from './support/eventually';
import { useSession } from './use-session';

const slow = 90_000;

describe('a volume opened as a folder', function () {
  this.timeout(180_000);
  const suffix = randomBytes(3).toString('hex');
  const [one, other] = [`uione-${suffix}`, `uiother-${suffix}`];

  const ui = useSession({ volumes: [one, other], prepare: () => ({}) });

  before(async () => {
    for (const volume of [one, other]) {
      await berth(ui.session, 'volume', 'create', volume);
      await berth(ui.session, 'mkdir', `volume:${volume}:/src`);
      await berth(ui.session, 'cp', __filename, `volume:${volume}:/src/main.js`);
      await row(volume).waitFor('visible', slow);
    }
  });

  const row = (label: string) => ui.workbench.tree('Volumes').row(label);
  const explorer = () => ui.workbench.explorer();
  const rootTitle = () => ui.workbench.page.locator('.explorer-viewlet .pane-header .title').first();

  async function openAlone(): Promise<void> {
    await row(one).contextMenu('Open Volume as Folder');
    await ui.workbench.quickInput.pick('Open in this window');
    await ui.workbench.openSideBar('Explorer');
    await explorer().row('src').waitFor('visible', slow);
  }

  it('is called by its name in the Explorer and in the title of the window', async () => {
    await openAlone();
    await eventually('the name of the folder', async () =>
      assert.match(await rootTitle().innerText(), new RegExp(`^${one}`, 'i')),
    );
    await eventually('the title of the window', async () =>
      assert.match(await ui.workbench.page.title(), new RegExp(`^${one} \\[Berth\\]`)),
    );
    assert.match(await ui.workbench.statusBar(one), new RegExp(`${one}$`));
  });

  it('finds files and text in it by the keys that do so elsewhere, and by the menu of a folder', async () => {
    const { quickInput, page } = ui.workbench;
    const isTitled = (title: string) =>
      eventually(title, async () => assert((await quickInput.widget.innerText()).includes(title)));
    await page.keyboard.press('Control+P');
    await isTitled(`Go to file in ${one}`);
    await quickInput.box.fill('main');
    await quickInput.rows.filter({ hasText: 'main.js' }).first().waitFor();
    await ui.workbench.screenshot('volume-folder-keys');
    await quickInput.cancel();
    await page.keyboard.press('Control+Shift+F');
    await isTitled(`Find in ${one}`);
    await quickInput.cancel();
    await explorer().row('src').contextMenu('Find in Volume…');
    await isTitled(`Find in ${one}`);
    await quickInput.cancel();
  });

  it('names its volume in tooltips, breadcrumbs and recent folders', async () => {
    const { workbench } = ui;
    await explorer().expand('src');
    await explorer().row('main.js').doubleClick();
    await workbench.editor.waitForTab('main.js');
    const tab = workbench.editor.tab('main.js');
    await eventually('the tooltip of the tab', async () => {
      await workbench.page.mouse.move(0, 0);
      await tab.hover();
      const tooltip = workbench.page.locator('.workbench-hover', { hasText: `${one}/src/main.js` });
      await tooltip.waitFor({ timeout: 5_000 });
    });
    await workbench.page.keyboard.press('Control+R');
    await workbench.quickInput.rows.filter({ hasText: one }).first().waitFor();
    await workbench.screenshot('volume-folder');
    await workbench.quickInput.cancel();
  });

  it('tells files of two volumes apart', async () => {
    const { workbench } = ui;
    await workbench.openSideBar('Berth');
    await workbench.tree('Volumes').expand(other, 'src');
    await row('main.js').doubleClick();
    await eventually('two tabs', async () => {
      const tabs = await workbench.editor.tab('main.js').allInnerTexts();
      assert.equal(tabs.length, 2);
      assert.ok(
        tabs.some((text) => text.includes(other)),
        JSON.stringify(tabs),
      );
    });
    const breadcrumbs = workbench.page.locator('.breadcrumbs-control');
    await breadcrumbs.filter({ hasText: other }).waitFor();
    await workbench.screenshot('two-volumes');
  });

  it('goes to a file by a part of its name, and finds text in files', async () => {
    const { workbench } = ui;
    await workbench.editor.closeAll();
    await workbench.openSideBar('Berth');
    await row(other).contextMenu('Go to File in Volume…');
    await workbench.quickInput.box.fill('main');
    await workbench.quickInput.rows.filter({ hasText: 'main.js' }).first().waitFor();
    await workbench.screenshot('go-to-file');
    await workbench.quickInput.pick('main.js');
    await workbench.editor.waitForTab('main.js');
    await workbench.quickInput.enterAfter(() => row(other).contextMenu('Find in Volume…'), 'USE strict');
    await workbench.quickInput.rows.filter({ hasText: 'main.js:1' }).first().waitFor();
    await workbench.quickInput.widget.getByText(/^\/src\/main\.js · \d+ lines$/).waitFor();
    await workbench.screenshot('find-in-volume');
    await workbench.quickInput.pick('"use strict"');
    await workbench.statusBar(/Ln 1, Col \d+ \(10 selected\)/);
  });

  it('shows all that was found as a tree, which stays while lines are opened, and goes when it is cleared', async () => {
    const { workbench } = ui;
    await workbench.editor.closeAll();
    await workbench.openSideBar('Berth');
    await workbench.quickInput.enterAfter(() => row(other).contextMenu('Find in Volume…'), 'USE strict');
    await workbench.quickInput.rows.filter({ hasText: 'main.js:1' }).first().waitFor();
    await workbench.quickInput.button('Show All in the Side Bar');
    const found = workbench.tree('Found in Volume');
    await found.row('main.js').waitForDescription(/^src · \d+ lines$/, slow);
    await found.row('"use strict";').locator.click();
    await workbench.editor.waitForTab('main.js');
    await workbench.statusBar(/Ln 1, Col \d+ \(10 selected\)/);
    await workbench.screenshot('found-tree');
    await found.titleAction('Clear Search Results of Volume');
    await found.pane.waitFor({ state: 'hidden' });
  });

  it('opens all that was found in chosen files, with links to the lines', async () => {
    const { workbench } = ui;
    const { quickInput } = workbench;
    await workbench.editor.closeAll();
    await workbench.openSideBar('Berth');
    await row(other).contextMenu('Find in Volume…');
    await quickInput.button('Choose Files to Include and Exclude');
    await quickInput.enter('USE strict');
    for (const [prompt, globs] of [
      ['Files to include', '*.js, *.ts'],
      ['Files and folders to exclude', 'none'],
    ] as const) {
      await eventually(`the prompt "${prompt}"`, async () => {
        assert((await quickInput.message()).includes(prompt));
      });
      await quickInput.enter(globs);
    }
    await quickInput.rows.filter({ hasText: 'main.js:1' }).first().waitFor();
    await quickInput.button('Open All in an Editor');
    await workbench.editor.waitForTab(`“USE strict” in ${other}`);
    await workbench.editor.waitForText('in 1 file · only *.js, *.ts · without none');
    await workbench.editor.waitForText('/src/main.js: ');
    await workbench.screenshot('found-document');
    await workbench.editor.followLink(1, 'main.js');
    await workbench.statusBar(/Ln 1, Col 2\b/);
  });

  it('still has what was found after a reload, with its links', async () => {
    const { workbench } = ui;
    const found = workbench.tree('Found in Volume');
    await workbench.openSideBar('Berth');
    await workbench.quickInput.enterAfter(() => row(other).contextMenu('Find in Volume…'), 'USE strict');
    await workbench.quickInput.rows.filter({ hasText: 'main.js:1' }).first().waitFor();
    await workbench.quickInput.button('Show All in the Side Bar');
    await found.row('main.js').waitFor('visible', slow);
    await workbench.editor.tab(`“USE strict” in ${other}`).click();
    // A marker that only a new document lacks.
    await workbench.page.evaluate("document.body.setAttribute('data-before', '')");
    await workbench.run('Developer: Reload Window');
    await workbench.page.locator('body:not([data-before])').waitFor({ timeout: slow });
    await workbench.waitUntilReady();
    await workbench.editor.waitForTab(`“USE strict” in ${other}`);
    await workbench.editor.waitForText('/src/main.js:');
    await workbench.editor.followLink(1, 'main.js');
    await workbench.statusBar(/Ln 1, Col 2\b/);
    // The tree is of one window's life: no empty view stays.
    await workbench.openSideBar('Berth');
    await row(other).waitFor('visible', slow);
    await found.pane.waitFor({ state: 'hidden' });
  });

  it('names the volume of a folder of one that is opened alone, and edits in it', async () => {
    const { workbench } = ui;
    const name = `src (${other})`;
    await workbench.tree('Volumes').expand(other);
    await row('src').contextMenu('Open Volume as Folder');
    await workbench.quickInput.pick('Open in this window');
    const starts = new RegExp(`^${name.replace(/[()]/g, '\\$&')}`, 'i');
    await eventually('the title of the window', async () => {
      const title = await workbench.page.title();
      assert.match(title, starts);
      assert.ok(title.includes('[Berth]'), title);
    });
    await workbench.openSideBar('Explorer');
    await explorer().row('main.js').waitFor('visible', slow);
    assert.match(await rootTitle().innerText(), starts);
    await explorer().row('main.js').doubleClick();
    await workbench.editor.waitForTab('main.js');
    await workbench.page.locator('.breadcrumbs-control').waitFor();
    // What the view of volumes opens is the same file, in the same editor.
    await workbench.openSideBar('Berth');
    await workbench.tree('Volumes').expand(other, 'src');
    await row('main.js').doubleClick();
    await workbench.statusBar(/Ln 1, Col \d+/);
    assert.equal(await workbench.editor.tab('main.js').count(), 1);
    await workbench.screenshot('folder-of-a-volume');
  });
});
