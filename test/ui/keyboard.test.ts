import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { berthVsix, packageExtension } from '../runner/package-extension';
import { ROOT } from '../runner/setup';
import { berth, cleanUp } from './cleanup';
import { eventually } from './support/eventually';
import { Keyboard } from './support/keyboard';
import { launch, pictureFailure, type Session } from './support/launch';
import { OpenedWindows } from './support/opened-windows';

const slow = 90_000;

describe('all by the keyboard, from an empty window on', function () {
  this.timeout(180_000);
  const name = `uik-${randomBytes(3).toString('hex')}`;
  const workspaceRow = new RegExp(`^Workspace ${name}, running`);
  const homeRow = new RegExp(`^Volume ${name}, home`);
  const windows = new OpenedWindows();
  let session: Session;
  let keys: Keyboard;
  let folder: string;

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'berth-ui-'));
    const remoteSsh = join(folder, 'remote-ssh.vsix');
    await packageExtension(join(ROOT, 'test/ui/fixtures/remote-ssh'), remoteSsh);
    session = await launch({ vsix: [await berthVsix(), remoteSsh], onPage: windows.watch });
    keys = new Keyboard(session.workbench.page);
    await noticePointer();
  });

  const noticePointer = () =>
    session.workbench.page.evaluate(
      "addEventListener('pointerdown', () => document.body.setAttribute('data-pressed', ''), true)",
    );

  afterEach(async function () {
    await pictureFailure(session, this.currentTest);
    assert.equal(await session.workbench.page.locator('body[data-pressed]').count(), 0, 'the mouse was used');
  });

  after(async () => {
    await cleanUp(session, name);
    await session.stop();
    await rm(folder, { recursive: true });
  });

  const type = (text: string) => session.workbench.page.keyboard.type(text);
  const inside = async (...argv: string[]) => (await berth(session, 'exec', name, '--', ...argv)).trim();
  const files = async () => (await inside('ls', '-A', '/home/workspace')).split('\n').sort();
  const waitForFiles = (...wanted: string[]) =>
    eventually('the files', async () => assert.deepEqual(await files(), wanted));
  const menu = () => session.workbench.page.locator('.monaco-menu').first();

  it('the view shows, and its welcome can be reached', async () => {
    const { page } = session.workbench;
    await page.locator('.activitybar').getByRole('tab', { name: 'Berth' }).waitFor({ timeout: slow });
    await keys.go('F6', /^Explorer/);
    await keys.go('ArrowDown', /^Berth$/);
    await keys.press('Enter');
    await page.getByText('A workspace is a named computer').waitFor({ timeout: slow });
    await keys.go('Tab', /^Create Workspace$/);
  });

  it('a workspace is created by the wizard, and its row has the focus', async () => {
    const { quickInput, tree } = {
      quickInput: session.workbench.quickInput,
      tree: session.workbench.tree('Workspaces'),
    };
    await keys.press('Enter');
    await quickInput.waitForTitle('Create Workspace (1/');
    await type(name);
    for (const step of ['(2/', '(3/', '(4/', '(5/', '(6/', '(7/']) {
      await keys.press('Enter');
      await quickInput.waitForTitle(step);
    }
    await keys.press('Enter');
    await keys.waitForFocus(new RegExp(`^Workspace ${name}, `), slow);
    await tree.row(name).waitForDescription(/^:2\d{3}/, slow);
    await keys.waitForFocus(workspaceRow);
  });

  it('keys do what they are for on the row of a workspace', async () => {
    const { quickInput } = session.workbench;
    await keys.press('F2');
    await quickInput.waitForTitle(`Rename ${name}`);
    await quickInput.cancel();
    await keys.waitForFocus(workspaceRow);
    for (const key of ['Shift+F10', 'ContextMenu']) {
      await keys.press(key);
      await menu().getByRole('menuitem', { name: 'Delete Workspace…' }).waitFor();
      await keys.press('Escape');
      await menu().waitFor({ state: 'hidden' });
      await keys.waitForFocus(workspaceRow);
    }
  });

  it('a file of the home is found, opened, edited and saved', async () => {
    const { editor } = session.workbench;
    await keys.press('ArrowRight');
    await keys.go('ArrowDown', new RegExp(`^Volume workspace-${name} at`));
    // Enter on what is mounted leads to its volume in the other view, and unfolds it.
    await keys.press('Enter');
    await keys.waitForFocus(homeRow);
    await session.workbench.tree('Volumes').row('.profile').waitFor('visible', slow);
    await keys.go('ArrowDown', /^\.profile/);
    await keys.press('Enter');
    await editor.waitForTab('.profile');
    await keys.press('Control+End');
    await type('# typed');
    await editor.save('.profile');
    await eventually('the file', async () =>
      assert.equal(await inside('tail', '-n', '1', '/home/workspace/.profile'), '# typed'),
    );
    await keys.press('Control+0');
    await keys.waitForFocus(/^\.profile/);
  });

  it('files are copied, cut, pasted, renamed and deleted', async () => {
    const { quickInput, dialog } = session.workbench;
    await keys.press('Control+C');
    await keys.press('Control+V');
    await waitForFiles('.bash_logout', '.bashrc', '.profile', '.profile copy');
    await session.workbench.tree('Volumes').row('.profile copy').waitFor();
    await keys.go('ArrowDown', /^\.profile copy/);
    await keys.press('F2');
    await quickInput.waitForTitle('Rename .profile copy');
    await type('kept');
    await keys.press('Enter');
    await waitForFiles('.bash_logout', '.bashrc', '.profile', 'kept');
    // As in the Explorer, the focus stays on what was renamed.
    await keys.waitForFocus(/^kept/);
    await inside('mkdir', '/home/workspace/folder');
    await keys.press('Control+X');
    await session.workbench.tree('Volumes').row('folder').waitFor();
    await keys.go('ArrowUp', /^folder/);
    await keys.press('Control+V');
    await waitForFiles('.bash_logout', '.bashrc', '.profile', 'folder');
    assert.equal(await inside('ls', '/home/workspace/folder'), 'kept');
    await keys.waitForFocus(/^folder/);
    await keys.press('Delete');
    assert.match(await dialog.text(), /Delete the folder folder and all that is in it\?/);
    await keys.go('Tab', /^Delete$/);
    await keys.press('Enter');
    await waitForFiles('.bash_logout', '.bashrc', '.profile');
  });

  it('files of the file system are copied and pasted below the workspace, and refuse what is not allowed', async () => {
    const { notifications, tree } = {
      notifications: session.workbench.notifications,
      tree: session.workbench.tree('Workspaces'),
    };
    await keys.go('Shift+Tab', /^Workspace|^Volume workspace-.* at/);
    await keys.go('ArrowUp', workspaceRow);
    await keys.go('ArrowDown', new RegExp(`^File system of ${name}, read-only`));
    await keys.press('ArrowRight');
    await tree.row('etc').waitFor('visible', slow);
    await keys.go('ArrowDown', /^\.dockerenv, file/);
    await keys.press('Control+C');
    await session.workbench.statusBar(/Copied \.dockerenv/);
    await keys.press('Control+X');
    await notifications.waitFor(/read-only until you allow changes/);
    await keys.press('Escape');
    await keys.go('ArrowDown', new RegExp(`^Volume workspace-${name} at`));
    await keys.press('Control+V');
    await waitForFiles('.bash_logout', '.bashrc', '.dockerenv', '.profile');
  });

  it('the workspace is opened by Enter, and its folder becomes that of the window', async () => {
    const { dialog, page } = session.workbench;
    await keys.go('Shift+Tab', /^Workspace|^Volume workspace-.* at/);
    await keys.go('ArrowUp', workspaceRow);
    await keys.press('Enter');
    assert.match(await dialog.text(), /Let SSH find Berth workspaces by name\?/);
    await keys.go('Tab', /^Add the Line$/);
    await keys.press('Enter');
    assert.match(await dialog.text(), /Remote-SSH that Berth workspaces run Linux/);
    await keys.go('Tab', /^Always$/);
    await keys.press('Enter');
    await page.waitForURL(/home\/workspace/, { timeout: slow });
    assert.deepEqual(windows.last(), {
      address: `vscode-remote://ssh-remote+berth-${name}/home/workspace`,
      forceNewWindow: false,
    });
    await page.goBack();
    await session.workbench.waitUntilReady();
    await noticePointer();
    // A window that comes back gives the focus to its editor, when that is ready.
    await eventually('the focus in the view', async () => {
      await session.workbench.run('Focus on Workspaces View');
      await keys.press('Home');
      await keys.waitForFocus(workspaceRow, 3_000);
    });
  });

  it('the workspace is deleted through its dialog, whose first button harms nothing', async () => {
    const { dialog } = session.workbench;
    await keys.press('Delete');
    assert.match(await dialog.text(), new RegExp(`Delete workspace ${name} and its files`));
    assert.doesNotMatch(await keys.focused(), /^Delete$/);
    await keys.go('Tab', /^Delete$/);
    await keys.press('Enter');
    await session.workbench.page.getByText('A workspace is a named computer').waitFor({ timeout: slow });
  });
});
