import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { berth } from './cleanup';
import { eventually } from './support/eventually';
import { OpenedWindows, type Opened } from './support/opened-windows';
import { changeUserSettings, settingsOf } from './support/settings';
import { useSession } from './use-session';

const slow = 60_000;
const ownLine = 'Host mine\n  HostName example.org\n';

describe('opening a workspace with a Remote-SSH extension', function () {
  this.timeout(240_000);
  const name = `uir-${randomBytes(3).toString('hex')}`;
  const wire = new OpenedWindows();
  const config = (): string => join(ui.session.vscode.home, '.ssh', 'config');

  const ui = useSession({
    workspaces: [name],
    hasRemoteSsh: true,
    prepare: (folder) => ({ folder, onPage: wire.watch }),
  });

  before(async () => {
    await mkdir(join(ui.session.vscode.home, '.ssh'));
    await writeFile(config(), ownLine);
    await berth(ui.session, 'create', name, '--clone', 'file:///not/there', '--no-start');
    await show(/stopped/);
  });

  const row = () => ui.workbench.tree('Workspaces').row(name);

  const opened = (path: string, forceNewWindow: boolean): Opened => ({
    address: `vscode-remote://ssh-remote+berth-${name}${path}`,
    forceNewWindow,
  });

  async function show(state: RegExp): Promise<void> {
    const { workbench } = ui.session;
    await workbench.waitUntilReady();
    await workbench.openSideBar('Berth');
    // Its menu depends on it.
    await eventually('the state', async () => assert.match(await row().spoken(), state), slow);
  }

  it('leaves everything alone when the line in the SSH config is refused', async () => {
    const { dialog } = ui.workbench;
    await row().contextMenu('Open Workspace');
    assert.match(await dialog.text(), /Let SSH find Berth workspaces by name\?[\s\S]*It includes \//);
    await dialog.press('Cancel');
    assert.equal(await readFile(config(), 'utf8'), ownLine);
    assert.deepEqual(wire.opened, []);
    assert.match(await row().spoken(), /stopped/);
  });

  it('writes the line after a yes, starts the workspace, and opens its home in this window', async () => {
    const { workbench } = ui.session;
    await row().contextMenu('Open Workspace');
    await workbench.dialog.press('Add the Line');
    assert.match(await workbench.dialog.text(), /Remote-SSH that Berth workspaces run Linux/);
    await workbench.screenshot('remote-platform');
    await workbench.dialog.press('Always');
    await workbench.page.waitForURL(/home\/workspace/, { timeout: slow });
    assert.deepEqual(wire.last(), opened('/home/workspace', false));
    const [first, ...rest] = (await readFile(config(), 'utf8')).split('\n');
    assert.match(first ?? '', /^Include "?\/.*\.berth\/ssh\/config"?$/);
    assert.ok(rest.join('\n').endsWith(ownLine));
    const settings = await settingsOf(ui.session);
    assert.deepEqual(settings['remote.SSH.remotePlatform'], { [`berth-${name}`]: 'linux' });
    assert.match(await berth(ui.session, 'info', name), /^state +running$/m);
  });

  it('opens the cloned repository, in a new window, without asking again', async () => {
    const { workbench } = ui.session;
    // At the next start the repository is there.
    await berth(ui.session, 'exec', name, '--', 'mkdir', 'repo');
    await berth(ui.session, 'stop', name);
    await workbench.page.goBack();
    await show(/stopped/);
    const here = workbench.page.url();
    const opening = workbench.page.context().waitForEvent('page', { timeout: slow });
    await row().contextMenu('Open Workspace in New Window');
    const other = await opening;
    assert.deepEqual(wire.last(), opened('/home/workspace/repo', true));
    await other.waitForURL(/home\/workspace\/repo/, { timeout: slow });
    assert.equal(workbench.page.url(), here);
    await other.close();
  });

  it('says why when the SSH config may never be touched', async () => {
    const { workbench } = ui.session;
    await writeFile(config(), ownLine);
    await changeUserSettings(ui.session, { 'berth.ssh.includeConfig': 'never' });
    await workbench.page.reload();
    await show(/running/);
    await row().inlineAction('Open Workspace');
    await workbench.notifications.press('includeConfig” is “never”', 'Open Terminal');
    await workbench.terminal.waitForText(/\$/, slow);
    assert.equal(await readFile(config(), 'utf8'), ownLine);
  });
});
