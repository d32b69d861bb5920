import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { berth } from './cleanup';
import { eventually } from './support/eventually';
import { Keyboard } from './support/keyboard';
import { OpenedWindows } from './support/opened-windows';
import { useSession } from './use-session';

const slow = 90_000;

describe('all by the keyboard, from an empty window on', function () {
  this.timeout(180_000);
  const name = `uik-${randomBytes(3).toString('hex')}`;
  const workspaceRow = new RegExp(`^Workspace ${name}, running`);
  const homeRow = new RegExp(`^Volume ${name}, home`);
  const windows = new OpenedWindows();
  let keys: Keyboard;

  const ui = useSession({
    workspaces: [name],
    hasRemoteSsh: true,
    begins: 'bare',
    prepare: () => ({ onPage: windows.watch }),
  });

  before(async () => {
    keys = new Keyboard(ui.workbench.page);
    await noticePointer();
  });

  const noticePointer = () =>
    ui.workbench.page.evaluate(
      "addEventListener('pointerdown', () => document.body.setAttribute('data-pressed', ''), true)",
    );

  afterEach(async () => {
    assert.equal(await ui.workbench.page.locator('body[data-pressed]').count(), 0, 'the mouse was used');
  });

  const type = (text: string) => ui.workbench.page.keyboard.type(text);
  const inside = async (...argv: string[]) => (await berth(ui.session, 'exec', name, '--', ...argv)).trim();
  const files = async () => (await inside('ls', '-A', '/home/workspace')).split('\n').sort();
  const waitForFiles = (...wanted: string[]) =>
    eventually('the files', async () => assert.deepEqual(await files(), wanted));
  const menu = () => ui.workbench.page.locator('.monaco-menu').first();

  it('the view shows, and its welcome can be reached', async () => {
    const { page } = ui.workbench;
    await page.locator('.activitybar').getByRole('tab', { name: 'Berth' }).waitFor({ timeout: slow });
    await keys.go('F6', /^Explorer/);
    await keys.go('ArrowDown', /^Berth$/);
    await keys.press('Enter');
    await page.getByText('A workspace is a named computer').waitFor({ timeout: slow });
    await keys.go('Tab', /^Create Workspace$/);
  });

  it('a workspace is created by the wizard, and its row has the focus', async () => {
    const { quickInput, tree } = {
      quickInput: ui.workbench.quickInput,
      tree: ui.workbench.tree('Workspaces'),
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
    const { quickInput } = ui.workbench;
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
    const { editor } = ui.workbench;
    await keys.press('ArrowRight');
    await keys.go('ArrowDown', new RegExp(`^Volume workspace-${name} at`));
    // Enter on what is mounted leads to its volume in the other view, and unfolds it.
    await keys.press('Enter');
    await keys.waitForFocus(homeRow);
    await ui.workbench.tree('Volumes').row('.profile').waitFor('visible', slow);
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
    const { quickInput, dialog } = ui.workbench;
    await keys.press('Control+C');
    await keys.press('Control+V');
    await waitForFiles('.bash_logout', '.bashrc', '.profile', '.profile copy');
    await ui.workbench.tree('Volumes').row('.profile copy').waitFor();
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
    await ui.workbench.tree('Volumes').row('folder').waitFor();
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
      notifications: ui.workbench.notifications,
      tree: ui.workbench.tree('Workspaces'),
    };
    await keys.go('Shift+Tab', /^Workspace|^Volume workspace-.* at/);
    await keys.go('ArrowUp', workspaceRow);
    await keys.go('ArrowDown', new RegExp(`^File system of ${name}, read-only`));
    await keys.press('ArrowRight');
    await tree.row('etc').waitFor('visible', slow);
    await keys.go('ArrowDown', /^\.dockerenv, file/);
    await keys.press('Control+C');
    await ui.workbench.statusBar(/Copied \.dockerenv/);
    await keys.press('Control+X');
    await notifications.waitFor(/read-only until you allow changes/);
    await keys.press('Escape');
    await keys.go('ArrowDown', new RegExp(`^Volume workspace-${name} at`));
    await keys.press('Control+V');
    await waitForFiles('.bash_logout', '.bashrc', '.dockerenv', '.profile');
  });

  it('the workspace is opened by Enter, and its folder becomes that of the window', async () => {
    const { dialog, page } = ui.workbench;
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
    await ui.workbench.waitUntilReady();
    await noticePointer();
    // A window that comes back gives the focus to its editor, when that is ready.
    await eventually('the focus in the view', async () => {
      await ui.workbench.run('Focus on Workspaces View');
      await keys.press('Home');
      await keys.waitForFocus(workspaceRow, 3_000);
    });
  });

  it('the workspace is deleted through its dialog, whose first button harms nothing', async () => {
    const { dialog } = ui.workbench;
    await keys.press('Delete');
    assert.match(await dialog.text(), new RegExp(`Delete workspace ${name} and its files`));
    assert.doesNotMatch(await keys.focused(), /^Delete$/);
    await keys.go('Tab', /^Delete$/);
    await keys.press('Enter');
    await ui.workbench.page.getByText('A workspace is a named computer').waitFor({ timeout: slow });
  });
});
