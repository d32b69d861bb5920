import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { berth } from './cleanup';
import { eventually } from './support/eventually';
import { useSession } from './use-session';

const slow = 90_000;

describe('storage at a glance', function () {
  this.timeout(240_000);
  const tag = randomBytes(3).toString('hex');
  const name = `uis-${tag}`;
  const data = `uis-data-${tag}`;
  const ui = useSession({
    workspaces: [name],
    volumes: [data],
    // Not the cache of other tests: this one is cleaned up.
    own: (folder) => ({ folder, env: { BERTH_CACHE: cacheIn(folder) } }),
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
});
