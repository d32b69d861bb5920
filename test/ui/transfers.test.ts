import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { berth } from './cleanup';
import { eventually } from './support/eventually';
import { chooseFile } from './support/file-dialog';
import { useSession } from './use-session';

const slow = 90_000;

describe('the files of a volume, by dialogs and keys', function () {
  this.timeout(240_000);
  const volume = `uit-${randomBytes(3).toString('hex')}`;

  const ui = useSession({
    volumes: [volume],
    prepare: async (folder) => {
      await mkdir(join(folder, 'open'));
      await mkdir(join(folder, 'site', 'deep'), { recursive: true });
      await mkdir(join(folder, 'out'));
      await writeFile(join(folder, 'one.txt'), 'one\n');
      await writeFile(join(folder, 'two.txt'), 'two\n');
      await writeFile(join(folder, 'site', 'deep', 'page.html'), '<p>\n');
      return { folder: join(folder, 'open'), settings: { 'berth.files.maxEditorSizeMiB': 1 } };
    },
  });

  before(async () => {
    await berth(ui.session, 'volume', 'create', volume);
    await row(volume).waitFor('visible', slow);
  });

  const row = (label: string) => ui.workbench.tree('Volumes').row(label);
  const list = (path = '/'): Promise<string> => berth(ui.session, 'ls', '-a', `volume:${volume}:${path}`);
  const cat = (path: string): Promise<string> => berth(ui.session, 'cat', `volume:${volume}:${path}`);

  const choose = (title: string, path: string, button: string): Promise<void> => {
    const begins = [ui.session.vscode.home, join(ui.folder, 'open')];
    return chooseFile(ui.workbench, { title, path, button, begins });
  };

  it('uploads files that are chosen', async () => {
    await row(volume).contextMenu('Upload Files…');
    await choose(`Upload to ${volume}:/`, join(ui.folder, 'one.txt'), 'Upload');
    await row(volume).expand();
    await row('one.txt').waitFor('visible', slow);
    assert.equal(await cat('/one.txt'), 'one\n');
  });

  it('uploads a folder that is chosen', async () => {
    await row(volume).contextMenu('Upload Folder…');
    await choose(`Upload to ${volume}:/`, join(ui.folder, 'site'), 'Upload');
    await row('site').waitFor('visible', slow);
    assert.equal(await cat('/site/deep/page.html'), '<p>\n');
  });

  it('downloads a file under a chosen name', async () => {
    await row('one.txt').contextMenu('Download Files…');
    const target = join(ui.folder, 'out', 'copy.txt');
    await choose('Download one.txt', target, 'OK');
    await eventually('the file', async () => assert.equal(await readFile(target, 'utf8'), 'one\n'), slow);
  });

  it('downloads a folder into a chosen one', async () => {
    await row('site').contextMenu('Download Files…');
    await choose('Download site into', join(ui.folder, 'out'), 'Download Here');
    const target = join(ui.folder, 'out', 'site', 'deep', 'page.html');
    await eventually('the file', async () => assert.equal(await readFile(target, 'utf8'), '<p>\n'), slow);
  });

  it('uploads from the palette into a folder that is found on the way', async () => {
    const { workbench } = ui;
    await workbench.run('Berth: Upload Files…');
    await workbench.quickInput.pick(volume);
    await workbench.quickInput.waitForTitle('Upload to');
    await workbench.quickInput.pick('site');
    await eventually('the folder', async () =>
      assert.ok((await workbench.quickInput.labels()).includes('deep')),
    );
    await workbench.screenshot('pick-folder');
    await workbench.quickInput.pick('This folder');
    await choose(`Upload to ${volume}:/site`, join(ui.folder, 'two.txt'), 'Upload');
    await eventually('the file', async () => assert.equal(await cat('/site/two.txt'), 'two\n'), slow);
  });

  it('shows an upload again when the window was reloaded meanwhile, and its end', async () => {
    const { workbench, vscode } = ui.session;
    const big = join(ui.folder, 'big');
    const mebibytes = 2048;
    const part = Buffer.alloc(16 * 1024 * 1024);
    await mkdir(big);
    for (let n = 0; n < mebibytes / 16; n += 1) await writeFile(join(big, `part-${n}.bin`), part);
    const { pid } = JSON.parse(await readFile(join(vscode.home, '.berth', 'engine.lock'), 'utf8')) as {
      pid: number;
    };
    await row(volume).dropPaths(big);
    await workbench.notifications.waitFor(/Uploading big.* of 2\.0 GiB/, slow);
    // However fast the machine is: the upload is not over before the window is back.
    process.kill(pid, 'SIGSTOP');
    try {
      // A marker that only a new document lacks.
      await workbench.page.evaluate("document.body.setAttribute('data-before', '')");
      await workbench.run('Developer: Reload Window');
      await workbench.page.locator('body:not([data-before])').waitFor({ timeout: slow });
      await workbench.waitUntilReady();
      await workbench.openSideBar('Berth');
      await workbench.notifications.waitFor(/Uploading big/, slow);
    } finally {
      process.kill(pid, 'SIGCONT');
    }
    await workbench.notifications.waitFor(/Uploading big.* of 2\.0 GiB/, slow);
    await workbench.screenshot('upload-after-reload');
    await workbench.statusBar(/Uploading big: 128 files \(2\.0 GiB\)/);
    await workbench.notifications.with(/Uploading big/).waitFor({ state: 'hidden', timeout: slow });
    assert.match(await list(), /big/);
    await rm(big, { recursive: true });
    await berth(ui.session, 'rm', '-r', `volume:${volume}:/big`);
    await row(volume).expand();
    await row('one.txt').waitFor('visible', slow);
  });

  it('goes to a path: a file opens, a folder is shown', async () => {
    const { workbench } = ui;
    const { quickInput } = workbench;
    await row(volume).contextMenu('Go to Path in Volume…');
    await quickInput.waitForTitle(`Go to path in ${volume}`);
    await quickInput.enter('/site/nothing');
    await eventually('the answer', async () => assert.match((await quickInput.labels())[0] ?? '', /nothing/));
    await quickInput.enter('/site/deep/page.html');
    await workbench.editor.waitForTab('page.html');
    await workbench.run('Berth: Go to Path in Volume…');
    await quickInput.pick(volume);
    await quickInput.waitForTitle(`Go to path in ${volume}`);
    await quickInput.enter('/site/deep');
    await row('page.html').waitFor('visible', slow);
  });

  it('makes a folder, with those above it', async () => {
    await row(volume).contextMenu('New Folder…');
    await ui.workbench.quickInput.waitForTitle(`New folder in ${volume}:/`);
    await ui.workbench.quickInput.enter('a/b/c');
    await row('a').waitFor('visible', slow);
    assert.equal(await list('/a/b'), 'c/\n');
  });

  it('copies, cuts, pastes and deletes by keys', async () => {
    const { page, dialog } = ui.workbench;
    await row('a').click();
    await row('one.txt').click();
    await page.keyboard.press('Control+C');
    // VS Code hands over the first use of a command later than the click that comes after it.
    await ui.workbench.statusBar('Copied one.txt');
    await ui.workbench.tree('Volumes').row('a').click();
    await page.keyboard.press('Control+V');
    await eventually('the copy', async () => assert.match(await list('/a'), /one\.txt/), slow);
    await row('one.txt').click();
    await page.keyboard.press('Delete');
    assert.match(await dialog.text(), /Delete one\.txt\?[\s\S]*\(4 B\)/);
    await dialog.press('Delete');
    await eventually('the end', async () => assert.doesNotMatch(await list(), /one\.txt/), slow);
  });

  it('offers to download what is too large for an editor', async () => {
    const { workbench } = ui;
    const target = join(ui.folder, 'out', 'large.bin');
    await rm(target, { force: true });
    await writeFile(join(ui.folder, 'large.bin'), Buffer.alloc(1_500_000));
    await berth(ui.session, 'cp', '--force', join(ui.folder, 'large.bin'), `volume:${volume}:/`);
    await row('large.bin').click();
    await workbench.notifications.waitFor('download it instead of opening it');
    await workbench.notifications.press('download it instead of opening it', 'Download…');
    await choose('Download large.bin', target, 'OK');
    await eventually('the file', async () => assert.equal((await readFile(target)).length, 1_500_000), slow);
  });

  it('opens as a folder, in which the Explorer works', async () => {
    const { workbench } = ui;
    const { page } = workbench;
    await row(volume).contextMenu('Open Volume as Folder');
    await workbench.quickInput.pick('Open in this window');
    await page.waitForURL(/folder=berth/, { timeout: slow });
    await workbench.waitUntilReady();
    await workbench.openSideBar('Explorer');
    await workbench.explorer().row('site').waitFor('visible', slow);
    await workbench.explorer().expand('site');
    await workbench.explorer().row('two.txt').doubleClick();
    await workbench.editor.waitForTab('two.txt');
    await workbench.editor.append('and more\n');
    await workbench.editor.save('two.txt');
    await eventually('the file', async () => assert.equal(await cat('/site/two.txt'), 'two\nand more\n'));
    await workbench.screenshot('volume-as-folder');
  });
});
