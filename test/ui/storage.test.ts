import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { berth } from './cleanup';
import { eventually } from './support/eventually';
import { useSession } from './use-session';

const slow = 90_000;

describe('storage at a glance, and the trash', function () {
  this.timeout(240_000);
  const tag = randomBytes(3).toString('hex');
  const name = `uis-${tag}`;
  const data = `uis-data-${tag}`;
  // Before all else is taken away, which would go into the trash.
  after(async () => {
    await berth(ui.session, 'delete', name, '--yes', '--now').catch(() => undefined);
    await berth(ui.session, 'volume', 'delete', data, '--yes', '--now').catch(() => undefined);
    await berth(ui.session, 'trash', 'empty', '--yes');
  });

  const ui = useSession({
    workspaces: [name],
    volumes: [data],
    // Not the cache of other tests: this one is cleaned up.
    own: (folder) => ({ folder, env: { BERTH_CACHE: cacheIn(folder), BERTH_TRASH_DAYS: '7' } }),
  });

  before(async () => {
    await berth(ui.session, 'volume', 'create', data);
    await berth(ui.session, 'create', name, '--no-start');
    // As microVMs leave it, which take minutes where they are emulated.
    await mkdir(templates(), { recursive: true });
    for (const file of ['ab12.state', 'ab12.state.sum']) {
      await writeFile(join(templates(), file), 'x'.repeat(2 * 1024 ** 2));
    }
  });

  const cacheIn = (folder: string) => join(folder, 'cache');
  const templates = () => join(cacheIn(ui.folder), 'templates');
  const frame = () => ui.workbench.page.frameLocator('iframe.webview').frameLocator('#active-frame');
  const bar = (title: string) =>
    frame()
      .getByRole('listitem')
      .filter({ has: frame().getByRole('button', { name: title }) });
  const volumeRow = (label: string) => ui.workbench.tree('Volumes').row(label);

  it('says what is not measured yet, and measures it', async () => {
    await ui.workbench.run('Berth: Show Storage');
    await frame()
      .getByText(/ free of /)
      .waitFor({ timeout: slow });
    await bar(data).getByText('not measured yet').waitFor({ timeout: slow });
    await frame().getByRole('button', { name: 'Measure: Volumes', exact: true }).press('Enter');
    await bar(data)
      .getByText(/^[\d.]+ (?:[KMG]i)?B$/)
      .waitFor({ timeout: slow });
    await frame()
      .getByRole('button', { name: 'Measure Again: Volumes', exact: true })
      .waitFor({ timeout: slow });
    await ui.workbench.screenshot('storage');
  });

  it('leads from a bar to its volume, by a click anywhere on it and by Enter', async () => {
    const { workbench } = ui.session;
    const isSelected = (label: string) =>
      eventually(
        `the row of ${label} to be selected`,
        async () => assert.equal(await volumeRow(label).locator.getAttribute('aria-selected'), 'true'),
        slow,
      );
    const box = (await bar(data).locator('.bar').boundingBox()) ?? assert.fail('the bar is not in sight');
    await workbench.page.mouse.click(box.x + box.width / 2, box.y + box.height / 2);
    await isSelected(data);
    await frame()
      .getByRole('button', { name: new RegExp(`^${name}, .*home`) })
      .press('Enter');
    await isSelected(name);
  });

  it('leads from an image to what can be done with it', async () => {
    const { quickInput, page } = ui.workbench;
    await frame()
      .getByRole('button', { name: /^workspace:latest, / })
      .click();
    await eventually('what can be done', async () => {
      const labels = await quickInput.labels();
      assert.equal(labels[0], 'Create Workspace from It…');
      assert.ok(labels.includes(`Show Workspace ${name}`), labels.join());
      assert.ok(!labels.includes('Remove Image…'), labels.join());
    });
    await page.keyboard.press('Escape');
  });

  it('removes what is made again when needed, after a dialog that names it', async () => {
    const { dialog } = ui.workbench;
    await bar('Booted microVMs to start from')
      .getByText(/^4\.0 MiB$/)
      .waitFor({ timeout: slow });
    await frame().getByRole('button', { name: 'Clean Up…: Made again when needed' }).press('Enter');
    const text = await dialog.text();
    assert.match(text, /Free 4\.0 MiB\?[^]*Booted microVMs to start from: 4\.0 MiB[^]*made again/);
    await ui.workbench.screenshot('storage-clean');
    await dialog.press('Clean Up');
    await bar('Booted microVMs to start from').waitFor({ state: 'hidden', timeout: slow });
    assert.ok(!existsSync(join(templates(), 'ab12.state')));
  });

  it('leads to the panel of the workspace whose volume it is', async () => {
    await frame()
      .getByRole('button', { name: `Panel of ${name}` })
      .click();
    await ui.workbench.page.getByRole('tab', { name, exact: false }).first().waitFor({ timeout: slow });
    await ui.workbench.editor.closeAll();
  });

  const workspaceRow = () => ui.workbench.tree('Workspaces').row(name);
  const kept = 'kept.js';

  /** Deletes the workspace by its menu, after the dialog that says that it can be had back. */
  async function intoTrash(): Promise<void> {
    const { dialog } = ui.workbench;
    await workspaceRow().contextMenu('Delete Workspace…');
    const text = await dialog.text();
    assert.match(text, new RegExp(`Delete workspace ${name} and its files`));
    assert.match(text, /Kept in the trash for 7 days: Restore from Trash… has it back\./);
    assert.doesNotMatch(text, /cannot be undone/);
    await ui.workbench.screenshot('trash-delete');
    await dialog.press('Delete');
    await workspaceRow().waitFor('hidden', slow);
  }

  /** The row is back, and below it the file of its home. */
  async function isBack(): Promise<void> {
    await workspaceRow().waitFor('visible', slow);
    await eventually('the file', async () =>
      assert.ok((await berth(ui.session, 'ls', `volume:workspace-${name}:/`)).includes(kept)),
    );
  }

  it('a deleted workspace comes back with its files by Undo', async () => {
    const { notifications } = ui.workbench;
    await berth(ui.session, 'cp', __filename, `volume:workspace-${name}:/${kept}`);
    await intoTrash();
    const said = `${name} is in the trash until`;
    await notifications.waitFor(said, slow);
    await ui.workbench.screenshot('trash-undo');
    await notifications.press(said, 'Undo');
    await isBack();
    await ui.workbench.screenshot('trash-undone');
  });

  it('a deleted workspace comes back by Restore from Trash…, chosen among what is in it', async () => {
    const { notifications, quickInput } = ui.workbench;
    await intoTrash();
    await notifications.waitFor(`${name} is in the trash until`, slow);
    await ui.workbench.run('Berth: Restore from Trash…');
    const item = quickInput.rows.filter({ hasText: name }).first();
    await item.waitFor({ timeout: slow });
    assert.match(await item.innerText(), /workspace · deleted .*\d.* · kept until .*\d/);
    await ui.workbench.screenshot('trash-choice');
    await quickInput.pick(name);
    await isBack();
    await workspaceRow().waitForDescription(/stopped/, slow);
  });

  it('a deleted volume is on the page of storage until it is restored from there', async () => {
    const { dialog, quickInput } = ui.workbench;
    // What comes back redraws the rows, and closes a menu that is open.
    await eventually(
      'the question',
      async () => {
        if (!(await dialog.box.isVisible())) await volumeRow(data).contextMenu('Delete Volume…');
        await dialog.box.waitFor({ timeout: 10_000 });
      },
      slow,
    );
    await dialog.press('Delete');
    await volumeRow(data).waitFor('hidden', slow);
    await ui.workbench.run('Berth: Show Storage');
    const trashed = frame()
      .getByRole('listitem')
      .filter({ hasText: /kept until/ })
      .filter({ has: frame().getByRole('button', { name: data }) });
    await trashed.waitFor({ timeout: slow });
    await ui.workbench.screenshot('trash-storage');
    await trashed.getByRole('button').first().press('Enter');
    await quickInput.pick('Restore from Trash');
    await volumeRow(data).waitFor('visible', slow);
    await trashed.waitFor({ state: 'hidden', timeout: slow });
    await ui.workbench.editor.closeAll();
  });
});
