import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { berth } from '../cleanup';
import { eventually } from '../support/eventually';
import { useSession } from '../use-session';

const slow = 90_000;

describe('snapshots of a disk', function () {
  this.timeout(240_000);
  const data = `uisnap-${randomBytes(3).toString('hex')}`;

  const ui = useSession({ volumes: [data] });

  before(async () => {
    await berth(ui.session, 'volume', 'create', data, '--kind', 'disk', '--size', '32m');
    await put('one');
  });

  const put = async (content: string): Promise<void> => {
    await writeFile(join(ui.folder, 'a'), content);
    await berth(ui.session, 'cp', '--force', join(ui.folder, 'a'), `volume:${data}:/a`);
  };
  const content = (): Promise<string> => berth(ui.session, 'cat', `volume:${data}:/a`);
  const row = () => ui.workbench.tree('Volumes').row(data);

  const deleteSnapshots = async (volume: string): Promise<void> => {
    const all = JSON.parse(await berth(ui.session, 'snapshot', 'list', volume, '--json')) as { id: string }[];
    await berth(ui.session, 'snapshot', 'delete', volume, ...all.map(({ id }) => id), '--yes');
  };

  it('is made from the menu of the row, under a name that is checked', async () => {
    const { workbench } = ui;
    await row().waitFor('visible', slow);
    await row().contextMenu('Snapshot Volume…');
    await workbench.quickInput.waitForTitle(`Snapshot of ${data}`);
    await workbench.quickInput.box.fill('Not A Name');
    await eventually('what is wrong', async () =>
      assert.match(await workbench.quickInput.message(), /Lowercase letters, digits and hyphens/),
    );
    await workbench.quickInput.enter('first');
    await workbench.notifications.waitFor(`${data} is kept as it is now`, slow);
    assert.match(await berth(ui.session, 'snapshot', 'list', data), / first /);
  });

  it('is a row below its volume, with what can be done with it', async () => {
    const { workbench } = ui;
    const tree = workbench.tree('Volumes');
    await row().expand();
    await tree.row('Snapshots').waitForDescription(/^1$/, slow);
    await tree.row('Snapshots').expand();
    await tree.row('first').waitForDescription(/^\d+:\d\d.* · [\d.]+ [KM]iB$/);
    assert.match(await tree.row('first').spoken(), new RegExp(`^Snapshot first of ${data}, `));
    await berth(ui.session, 'snapshot', 'create', data);
    await tree.row('Snapshots').waitForDescription(/^2$/, slow);
    const rows = await tree.rows.locator('.label-name').allInnerTexts();
    assert.equal(rows.indexOf('first'), rows.indexOf('Snapshots') + 2, `newest first: ${rows.join()}`);
    await workbench.screenshot('snapshot-rows');
    // By the keyboard alone, the newest one.
    await tree.row('first').click();
    await workbench.page.keyboard.press('ArrowUp');
    await workbench.page.keyboard.press('Delete');
    assert.match(await workbench.dialog.text(), /^Delete the snapshot .* of /);
    await workbench.dialog.press('Delete');
    await tree.row('Snapshots').waitForDescription(/^1$/, slow);
    await tree.row('first').contextMenu('Restore Volume from Snapshot…');
    assert.match(await workbench.dialog.text(), new RegExp(`^Restore ${data} from first\\?`));
    await workbench.page.keyboard.press('Escape');
    await tree.row('first').click();
    await workbench.page.keyboard.press('Enter');
    await eventually('the ways to open it', async () =>
      assert.ok((await workbench.quickInput.labels()).includes('Open in a new window')),
    );
    await workbench.quickInput.cancel();
    await row().collapse();
  });

  it('is on the page of storage, which leads to what can be done with it', async () => {
    const { workbench } = ui;
    await workbench.run('Berth: Show Storage');
    const page = workbench.page.frameLocator('iframe.webview').frameLocator('#active-frame');
    await page.getByRole('heading', { name: 'Snapshots', exact: true }).waitFor({ timeout: slow });
    await workbench.screenshot('storage-snapshots');
    await page.getByRole('button', { name: new RegExp(`^${data}, .*1 snapshot`) }).click();
    await eventually('what can be done', async () =>
      assert.deepEqual(await workbench.quickInput.labels(), [
        'Restore Volume from Snapshot…',
        'Snapshot Volume…',
        'Browse Snapshot…',
        'Delete Snapshot…',
      ]),
    );
    await workbench.quickInput.pick('Restore Volume from Snapshot…');
    await eventually('the snapshot', async () =>
      assert.deepEqual(await workbench.quickInput.labels(), ['first']),
    );
    await workbench.quickInput.cancel();
    await workbench.editor.closeAll();
  });

  it('comes back after a dialog that says what goes, and that is undone by a button', async () => {
    const { workbench } = ui;
    await put('two');
    await workbench.run('Berth: Restore Volume from Snapshot…');
    await workbench.quickInput.pick(data);
    await eventually('the snapshot', async () =>
      assert.deepEqual(await workbench.quickInput.labels(), ['first']),
    );
    await workbench.quickInput.pick('first');
    assert.match(await workbench.dialog.text(), /What is there now is kept as a snapshot first\./);
    await workbench.screenshot('snapshot-restore');
    await workbench.dialog.press('Restore');
    await eventually('the old content', async () => assert.equal(await content(), 'one'), slow);
    await workbench.notifications.press(`${data} is as it was`, 'Undo');
    await eventually('the new content', async () => assert.equal(await content(), 'two'), slow);
  });

  it('is deleted after a dialog with what it takes', async () => {
    const { workbench } = ui;
    await row().contextMenu('Delete Snapshot…');
    await workbench.quickInput.pick('first');
    assert.match(await workbench.dialog.text(), /Delete the snapshot first of .*[\d.]+ [KM]iB/s);
    await workbench.dialog.press('Delete');
    await eventually('it to be gone', async () =>
      assert.doesNotMatch(await berth(ui.session, 'snapshot', 'list', data), / first /),
    );
  });

  it('is made of a Docker volume by the same words', async () => {
    const { workbench } = ui;
    const docker = `${data}-docker`;
    await berth(ui.session, 'volume', 'create', docker);
    try {
      const inTree = workbench.tree('Volumes').row(docker);
      await inTree.waitFor('visible', slow);
      await inTree.contextMenu('Snapshot Volume…');
      await workbench.quickInput.waitForTitle(`Snapshot of ${docker}`);
      await workbench.quickInput.enter('first');
      await workbench.notifications.waitFor(`${docker} is kept as it is now`, slow);
      await inTree.contextMenu('Restore Volume from Snapshot…');
      await workbench.quickInput.pick('first');
      await workbench.dialog.press('Restore');
      await workbench.notifications.waitFor(`${docker} is as it was`, slow);
      await workbench.screenshot('snapshot-docker');
    } finally {
      await berth(ui.session, 'volume', 'delete', docker, '--yes');
      await deleteSnapshots(docker);
    }
  });

  it('opens in the Explorer, where nothing of it can be changed', async () => {
    const { workbench } = ui;
    const { page } = workbench;
    await berth(ui.session, 'snapshot', 'create', data, '--name', 'second');
    await put('three');
    await row().contextMenu('Browse Snapshot…');
    await workbench.quickInput.pick('second');
    await workbench.quickInput.pick('Open in this window');
    await page.waitForURL(/folder=berth/, { timeout: slow });
    await workbench.waitUntilReady();
    await workbench.openSideBar('Explorer');
    await workbench.explorer().row('a').doubleClick();
    await workbench.editor.waitForTab('a');
    await page.locator('.editor-instance .view-lines', { hasText: 'two' }).waitFor({ timeout: slow });
    await page.keyboard.type('x');
    await page.getByText('Editor is read-only').first().waitFor({ timeout: slow });
    const root = `${data}@second`;
    await eventually('its name in the title of the window', async () =>
      assert.match(await page.title(), new RegExp(`^a - ${root} \\[Berth\\]`)),
    );
    const title = page.locator('.explorer-viewlet .pane-header .title').first();
    assert.match(await title.innerText(), new RegExp(`^${root}`, 'i'));
    await workbench.editor.tab('a').hover();
    await page.locator('.workbench-hover', { hasText: `${root}/a` }).waitFor();
    assert.match(await workbench.statusBar(root), new RegExp(root));
    await workbench.screenshot('snapshot-browsed');
    await page.keyboard.press('Control+R');
    await workbench.quickInput.rows.filter({ hasText: root }).first().waitFor();
    await workbench.quickInput.cancel();
    await page.reload();
    await workbench.explorer().row('a').waitFor('visible', slow);
    assert.equal(await content(), 'three');
    await berth(ui.session, 'snapshot', 'delete', data, 'second', '--yes');
  });
});
