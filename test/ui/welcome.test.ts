import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { berth } from './cleanup';
import { changeMachineSettings, changeUserSettings } from './support/settings';
import { useSession } from './use-session';

const slow = 90_000;

describe('the views while there is nothing to show', function () {
  this.timeout(240_000);

  const ui = useSession({
    begins: 'in the side bar',
    own: (folder) => ({
      folder,
      asksForTrust: true,
      settings: {
        'security.workspace.trust.enabled': true,
        'security.workspace.trust.startupPrompt': 'never',
        'security.workspace.trust.banner': 'never',
        'berth.dockerHost': 'unix:///nothing/there.sock',
        'workbench.colorTheme': 'Default Light Modern',
      },
    }),
  });

  const says = (text: string) => ui.workbench.page.getByText(text).first().waitFor({ timeout: slow });
  const press = (button: string) =>
    ui.workbench.page.locator('.sidebar .welcome-view').getByRole('button', { name: button }).first().click();
  /** They are over the window, as a dialog is. */
  const closeSettings = async () => {
    const { page } = ui.workbench;
    const settings = page.locator('.settings-editor');
    await settings.waitFor();
    await page.keyboard.press('Escape');
    await settings.waitFor({ state: 'hidden' });
  };
  const engine = () => existsSync(join(ui.session.vscode.home, '.berth', 'engine.sock'));

  it('start nothing in a folder that is not trusted, unless they are told to', async () => {
    await says('This window is in Restricted Mode');
    await ui.workbench.screenshot('welcome-untrusted');
    assert.equal(engine(), false);
    await press('Start Engine');
    await says('No container engine answers');
    assert.equal(engine(), true);
    await says('unix:///nothing/there.sock');
    await ui.workbench.screenshot('welcome-no-runtime');
    await press('Change the Address');
    await closeSettings();
  });

  it('lead to a page that says what is wrong with this machine, with buttons that mend it', async () => {
    const { workbench } = ui.session;
    await press('Check This Machine');
    const page = workbench.page.frameLocator('iframe.webview').frameLocator('#active-frame');
    const report = page.locator('main[aria-busy="false"]');
    const check = (title: string) =>
      report.getByRole('listitem').filter({ has: page.getByRole('heading', { name: title, exact: true }) });
    await check('Containers').getByRole('img', { name: 'failed' }).waitFor({ timeout: slow });
    assert.match(await check('Containers').innerText(), /unix:\/\/\/nothing\/there\.sock/);
    await check('OpenSSH client').getByRole('img', { name: 'ok' }).waitFor();
    for (const title of ['MicroVMs', 'Remote-SSH extension']) {
      const mark = check(title).getByRole('img', { name: /^(ok|warning|failed)$/ });
      await mark.waitFor();
    }
    await workbench.screenshot('doctor');
    // By the keyboard, too; after what mends something it is looked at again.
    await check('SSH config').getByRole('button', { name: 'Add the Line…' }).press('Enter');
    assert.match(await workbench.dialog.text(), /Let SSH find Berth workspaces by name\?/);
    await workbench.dialog.press('Add the Line');
    await check('SSH config').getByRole('img', { name: 'ok' }).waitFor({ timeout: slow });
    await report.getByRole('button', { name: 'Run Again' }).press('Enter');
    await page.locator('main[aria-busy="false"] #again:focus').waitFor({ timeout: slow });
    await check('Containers').getByRole('button', { name: 'Change the Address…' }).click();
    await closeSettings();
  });

  it('follow when the setting that was wrong is mended', async () => {
    const host = process.env.DOCKER_HOST ?? 'unix:///var/run/docker.sock';
    await changeUserSettings(ui.session, { 'berth.dockerHost': host });
    // A served VS Code reads the user's file again with the window only.
    await ui.workbench.page.reload();
    await press('Start Engine');
    await says('A workspace is a named computer');
    await ui.workbench.screenshot('welcome-light');
  });

  it('are not moved by what the machine of the window says', async () => {
    const theirs = { 'berth.dockerHost': 'unix:///of/the/remote/machine.sock' };
    const theme = 'workbench.colorTheme';
    await changeMachineSettings(ui.session, { ...theirs, [theme]: 'Default Dark Modern' });
    await ui.workbench.page.locator('.monaco-workbench.vs-dark').waitFor({ timeout: slow });
    await changeMachineSettings(ui.session, { ...theirs, [theme]: 'Default Light Modern' });
    await ui.workbench.page.locator('.monaco-workbench.vs').waitFor({ timeout: slow });
    const settings = await readFile(join(ui.session.vscode.home, '.berth', 'settings.json'), 'utf8');
    assert.doesNotMatch(settings, /of.the.remote/);
    await says('A workspace is a named computer');
  });

  it('say that the engine is stopped, and start it again', async () => {
    await berth(ui.session, 'down');
    await says('The Berth engine is stopped');
    await ui.workbench.screenshot('welcome-stopped');
    assert.equal(engine(), false);
    await press('Start Engine');
    await says('A workspace is a named computer');
  });

  it('start the engine when the folder becomes trusted while they show', async () => {
    const { page } = ui.workbench;
    await berth(ui.session, 'down');
    await page.reload();
    await says('This window is in Restricted Mode');
    await press('Manage Workspace Trust');
    await page
      .locator('.workspace-trust-editor')
      .getByRole('button', { name: /^Trust/ })
      .first()
      .click();
    await says('A workspace is a named computer');
    assert.equal(engine(), true);
  });
});
