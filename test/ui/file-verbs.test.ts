import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { berth } from './cleanup';
import { eventually } from './support/eventually';
import { useSession } from './use-session';

const slow = 90_000;

describe('the rows of files and of who has them', function () {
  this.timeout(180_000);
  const tag = randomBytes(3).toString('hex');
  const [name, reader, volume] = [`uiv-${tag}`, `uir-${tag}`, `uishared-${tag}`];

  const ui = useSession({
    workspaces: [name, reader],
    volumes: [volume],
    prepare: async (folder) => {
      await writeFile(join(folder, 'one.txt'), 'one\n');
      await writeFile(join(folder, 'two.txt'), 'two\n');
      return {};
    },
  });

  before(async () => {
    const { workbench } = ui;
    await workbench.page.context().grantPermissions(['clipboard-read', 'clipboard-write']);
    await berth(ui.session, 'volume', 'create', volume);
    await berth(ui.session, 'mkdir', `volume:${volume}:/src`);
    for (const file of ['one.txt', 'two.txt']) {
      await berth(ui.session, 'cp', join(ui.folder, file), `volume:${volume}:/src/${file}`);
    }
    await berth(ui.session, 'create', name, '-v', `${volume}:/shared`);
    await berth(ui.session, 'create', reader, '--no-start', '-v', `${volume}:/shared:ro`);
    await workspaces().row(reader).waitFor('visible', slow);
    await workspaces()
      .row(name)
      .waitForDescription(/^:2\d{3}/, slow);
  });

  const workspaces = () => ui.workbench.tree('Workspaces');
  const volumes = () => ui.workbench.tree('Volumes');
  const clipboard = () => ui.workbench.page.evaluate<string>('navigator.clipboard.readText()');
  /** Rows further down exist only once they are in sight. */
  const scroll = async (pixels: number): Promise<void> => {
    await workspaces().pane.locator('.monaco-list').hover();
    await ui.workbench.page.mouse.wheel(0, pixels);
  };
  const inside = async (...argv: string[]) => (await berth(ui.session, 'exec', name, '--', ...argv)).trim();

  it('duplicate a file beside itself', async () => {
    await volumes().expand(volume, 'src');
    await volumes().row('one.txt').contextMenu('Duplicate File or Folder');
    await volumes().row('one copy.txt').waitFor('visible', slow);
    assert.equal(await inside('cat', '/shared/src/one copy.txt'), 'one');
  });

  it('open a file to the side', async () => {
    const { page, editor } = ui.workbench;
    await volumes().row('one.txt').doubleClick();
    await editor.waitForTab('one.txt');
    await volumes().row('two.txt').contextMenu('Open File to the Side');
    await editor.waitForTab('two.txt');
    await eventually('two groups', async () =>
      assert.equal(await page.locator('.editor-group-container').count(), 2),
    );
    await ui.workbench.screenshot('to-the-side');
    await editor.closeAll();
  });

  it('compare a file with another that is chosen, and two that are selected', async () => {
    const { editor, quickInput, page } = ui.workbench;
    await volumes().row('one.txt').contextMenu('Compare File with…');
    await quickInput.waitForTitle('Compare one.txt with');
    await quickInput.pick('src');
    await quickInput.pick('two.txt');
    await editor.waitForTab('one.txt ↔ two.txt');
    await page.locator('.monaco-diff-editor').waitFor();
    await ui.workbench.screenshot('compared');
    await editor.closeAll();
    await volumes().row('two.txt').click();
    await volumes().row('one copy.txt').addToSelection();
    await volumes().row('one copy.txt').contextMenu('Compare File with…');
    await eventually('the names of both', async () => {
      const tabs = await page.locator('.tabs-container .tab').allInnerTexts();
      assert.match(tabs.join(), /one copy\.txt ↔ two\.txt|two\.txt ↔ one copy\.txt/);
    });
    await editor.closeAll();
  });

  it('copy a path from the root of the volume, and open a terminal in its folder', async () => {
    const { terminal } = ui.workbench;
    await volumes().row('two.txt').click();
    await volumes().row('two.txt').contextMenu('Copy Relative File Path');
    await eventually('the path', async () => assert.equal(await clipboard(), 'src/two.txt'));
    await volumes().row('src').contextMenu('Open Terminal in This Folder');
    await terminal.screen.waitFor({ timeout: slow });
    await terminal.waitForText(/\$ ?$/m, slow);
    await terminal.type('pwd');
    await terminal.waitForText(/^\/shared\/src$/m, slow);
    await terminal.type('exit');
  });

  it('lead from a volume to the workspaces that have it, and back', async () => {
    const used = (label: string) => volumes().row(`Used by ${label}`);
    assert.match(await used(name).description(), /^running · \/shared$/);
    assert.match(await used(reader).description(), /^stopped · \/shared · read-only$/);
    await ui.workbench.screenshot('used-by');
    await used(reader).click();
    const selected = workspaces().pane.locator('.monaco-list-row.selected').filter({ hasText: reader });
    await selected.waitFor({ timeout: slow });
    await workspaces().row(reader).expand();
    assert.match(await workspaces().row(volume).description(), /^\/shared · read-only/);
    await workspaces().row(volume).contextMenu('Browse Workspace Files');
    await volumes().pane.locator('.monaco-list-row.selected').filter({ hasText: volume }).waitFor();
  });

  it('are marked where they can be read only, in the file system of a workspace too', async () => {
    await volumes().row(`Used by ${reader}`).waitForMark('RO');
    await workspaces().row(volume).waitForMark('RO');
    await workspaces().row('File System').waitForMark('RO');
    await workspaces().expand('File System', 'shared');
    await workspaces().row('shared').waitForMark('RO');
    await scroll(150);
    await workspaces().expand('src');
    await scroll(100);
    await workspaces().row('two.txt').waitForMark('RO');
    await ui.workbench.screenshot('read-only');
    const { editor, page } = ui.workbench;
    await editor.closeAll();
    const area = page.locator('.editor-group-container').first();
    await workspaces().row('two.txt').dragTo(area);
    await editor.waitForTab('two.txt');
    await editor.waitForText('two');
    await ui.workbench.screenshot('dragged-read-only');
    await editor.closeAll();
    // What is no file opens nothing.
    await volumes().row(volume).dragTo(area);
    await page.waitForTimeout(1_000);
    assert.equal(await page.locator('.tabs-container .tab').count(), 0);
    assert.equal(await volumes().row('two.txt').mark(), '');
    await volumes().row(volume).contextMenu('Protect Volume');
    await volumes().row(volume).waitForMark('P');
    await volumes().row(volume).contextMenu('Unprotect Volume');
    await volumes().row(volume).waitForMark('');
  });

  it('of what is in no volume can be changed once that is allowed', async () => {
    const { dialog, quickInput, editor } = ui.workbench;
    await (await workspaces().scrollUpTo(reader)).collapse();
    await workspaces().row('File System').waitFor('hidden');
    await workspaces().row(name).expand();
    await workspaces().row('File System').inlineAction('Allow Changes to Workspace Files…');
    assert.match(await dialog.text(), /in none of its volumes\?[^]*goes with the next rebuild/);
    await ui.workbench.screenshot('allow-changes');
    await dialog.press('Allow Changes');
    await workspaces().row('File System').waitForDescription(/^\/$/, slow);
    await workspaces().expand('File System');
    await quickInput.enterAfter(() => workspaces().row('opt').contextMenu('New File…'), 'made.txt');
    await editor.waitForTab('made.txt');
    await editor.append('made here');
    await editor.save('made.txt');
    await eventually('the file', async () => assert.equal(await inside('cat', '/opt/made.txt'), 'made here'));
  });
});
