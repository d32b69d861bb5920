import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { readFile, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { ownPortRange } from '../../support/ports';
import { berth } from '../cleanup';
import { eventually } from '../support/eventually';
import { chooseFile } from '../support/file-dialog';
import { useSession } from '../use-session';

const slow = 150_000;
/** Small, and on every machine that has Berth. */
const image = 'berth-tools:1';

describe('workspaces as files', function () {
  this.timeout(400_000);
  const tag = randomBytes(3).toString('hex');
  const [name, other, reaching] = [`uie-${tag}`, `uie-other-${tag}`, `uie-docker-${tag}`];
  const ui = useSession({ workspaces: [name, other, reaching] });
  let port: number;

  before(async () => {
    port = ownPortRange().first;
    const created = ['--no-start', '--image', image];
    await berth(ui.session, 'create', name, ...created, '--publish', `${port}:8000`);
    await berth(ui.session, 'mkdir', `${name}:kept`);
    await berth(ui.session, 'create', reaching, ...created, '--docker');
    await row(reaching).waitFor('visible', slow);
  });

  const row = (label: string) => ui.workbench.tree('Workspaces').row(label);
  const fileOf = (label: string) => join(ui.folder, `${label}.berth`);
  const choose = (title: string, label: string, button: string): Promise<void> => {
    const begins = [ui.session.vscode.home, ui.folder];
    return chooseFile(ui.workbench, { title, path: fileOf(label), button, begins });
  };

  /** Up to the question for another name, and its answer. */
  async function importAs(label: string, wanted: string): Promise<void> {
    const { workbench } = ui;
    const { quickInput } = workbench;
    await workbench.run('Berth: Import Workspace…');
    await choose('Import Workspace', label, 'Import');
    await eventually('the question for a name', async () =>
      assert.match(await quickInput.message(), new RegExp(`${label}.*under another name`)),
    );
    assert.equal(await quickInput.box.inputValue(), `${label}-2`);
    await workbench.screenshot('import-name');
    await quickInput.enter(wanted);
  }

  it('leave nothing when the export is cancelled', async () => {
    const { notifications } = ui.workbench;
    const lock = await readFile(join(ui.session.vscode.home, '.berth', 'engine.lock'), 'utf8');
    const { pid } = JSON.parse(lock) as { pid: number };
    await row(name).contextMenu('Export Workspace…');
    // However fast the machine is: the export is under way until it is cancelled.
    process.kill(pid, 'SIGSTOP');
    try {
      await choose(`Export ${name}`, name, 'OK');
      await notifications.press(`Exporting ${name}`, 'Cancel');
      await notifications.with(`Exporting ${name}`).waitFor({ state: 'hidden', timeout: slow });
      await eventually('no file', async () => assert.deepEqual(await readdir(ui.folder), []));
    } finally {
      process.kill(pid, 'SIGCONT');
    }
  });

  it('are exported from the menu of a row', async () => {
    for (const each of [name, reaching]) {
      await row(each).contextMenu('Export Workspace…');
      // From now on: what is said may be gone again when the dialog is seen to be.
      await Promise.all([
        choose(`Export ${each}`, each, 'OK'),
        ui.workbench.notifications.waitFor(`Exported ${each} to ${fileOf(each)}`, slow),
      ]);
    }
    await ui.workbench.screenshot('exported');
    assert.deepEqual(
      (await readdir(ui.folder)).sort(),
      [name, reaching].map((each) => `${each}.berth`).sort(),
    );
  });

  it('are imported under another name, and say what is not as it was', async () => {
    await importAs(name, other);
    const told = `Imported ${other}`;
    await ui.workbench.notifications.waitFor(told, slow);
    assert.match(
      await ui.workbench.notifications.with(told).innerText(),
      new RegExp(`Its port 8000 is published at \\d+ here, not at ${port}`),
    );
    await row(other).waitForDescription(/^:2\d{3}/, slow);
    await ui.workbench.screenshot('imported');
    assert.match(await berth(ui.session, 'ls', `${other}:`), /^kept\/$/m);
  });

  it('are not imported without trust in a file that reaches beyond its workspace', async () => {
    const { dialog } = ui.workbench;
    await importAs(reaching, `${reaching}-again`);
    const asked = await dialog.text();
    assert.match(asked, new RegExp(`^Do you trust ${reaching}\\.berth\\?\n.*a Docker daemon inside`));
    await ui.workbench.screenshot('import-trust');
    await dialog.press('Do Not Import');
    assert.doesNotMatch(await berth(ui.session, 'list', '--quiet'), /-again/);
  });
});
