import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { berth } from './cleanup';
import { eventually } from './support/eventually';
import { useSession } from './use-session';

const slow = 90_000;

describe('an upload that the window brings itself', function () {
  this.timeout(240_000);
  const volume = `uic-${randomBytes(3).toString('hex')}`;
  const ui = useSession({ volumes: [volume] });
  const list = (): Promise<string> => berth(ui.session, 'ls', '-a', `volume:${volume}:/`);
  const row = (label: string) => ui.workbench.tree('Volumes').row(label);

  it('says after a reload what has come over and what has not, and leads to the dialog', async () => {
    const { workbench, vscode } = ui.session;
    const { notifications, quickInput } = workbench;
    await berth(ui.session, 'volume', 'create', volume);
    await row(volume).waitFor('visible', slow);
    const paths = Array.from({ length: 24 }, (_, n) => join(ui.folder, `part-${n}.bin`));
    for (const path of paths) await writeFile(path, Buffer.alloc(8 * 1024 * 1024, 1));
    const lock = await readFile(join(vscode.home, '.berth', 'engine.lock'), 'utf8');
    const { pid } = JSON.parse(lock) as { pid: number };
    // A row that is just being drawn anew takes no drop.
    await eventually(
      'a first file',
      async () => {
        await row(volume).dropFromFileManager(...paths);
        await eventually('it', async () => assert.match(await list(), /\.bin/), 20_000);
      },
      slow,
    );
    // However fast the machine is: the upload is not over before the window is gone.
    process.kill(pid, 'SIGSTOP');
    try {
      await workbench.page.evaluate("document.body.setAttribute('data-before', '')");
      await workbench.run('Developer: Reload Window');
      await workbench.page.locator('body:not([data-before])').waitFor({ timeout: slow });
      await workbench.waitUntilReady();
    } finally {
      process.kill(pid, 'SIGCONT');
    }
    await workbench.openSideBar('Berth');
    const told = /cut off when the window was reloaded/;
    await notifications.waitFor(told, slow);
    await workbench.screenshot('cut-off-told');
    const words = await notifications.with(told).innerText();
    const here = (await list()).split('\n').filter((line) => line.endsWith('.bin'));
    assert.match(words, new RegExp(`${here.length} of 24 files are in ${volume}:/`));
    assert.match(words, /Missing: part-\d+\.bin, part-\d+\.bin, part-\d+\.bin and \d+ more/);
    // What came over is whole, and nothing half-written is left.
    const listed = await berth(ui.session, 'ls', '-al', `volume:${volume}:/`);
    assert.equal(listed.match(/8\.0 MiB .*part-\d+\.bin/g)?.length, here.length, listed);
    assert.equal((await list()).trim().split('\n').length, here.length, await list());
    await notifications.press('cut off', 'Upload Files…');
    await quickInput.waitForTitle(`Upload to ${volume}:/`);
    await quickInput.cancel();
  });
});
