import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { berth } from './cleanup';
import { eventually } from './support/eventually';
import { useSession } from './use-session';

const slow = 60_000;
const run = promisify(execFile);

describe('a workspace, from the wizard to its end', function () {
  this.timeout(120_000);
  const name = `ui-${randomBytes(3).toString('hex')}`;
  const ui = useSession({ workspaces: [name], begins: 'bare' });

  const row = () => ui.workbench.tree('Workspaces').row(name);

  it('welcomes who has none', async () => {
    const { workbench } = ui.session;
    await workbench.openSideBar('Berth');
    await workbench.page.getByText('A workspace is a named computer').waitFor({ timeout: slow });
    await workbench.screenshot('welcome');
  });

  it('is created by the wizard, which says what is wrong while one types and goes back', async () => {
    const { workbench } = ui.session;
    const { quickInput, page } = workbench;
    await workbench.run('Berth: Create Workspace…');
    await quickInput.waitForTitle('Create Workspace (1/');
    await quickInput.box.fill('Not A Name');
    await eventually('the message', async () =>
      assert.match(await quickInput.message(), /Use only lowercase letters/),
    );
    await workbench.screenshot('wizard-name');
    await quickInput.enter(name);
    await quickInput.waitForTitle('(2/');
    await quickInput.back();
    await quickInput.waitForTitle('(1/');
    assert.equal(await quickInput.box.inputValue(), name);
    for (const step of ['(2/', '(3/', '(4/', '(5/', '(6/', '(7/']) {
      await page.keyboard.press('Enter');
      await quickInput.waitForTitle(step);
    }
    const labels = await quickInput.labels();
    assert.match(labels[0] ?? '', new RegExp(`Create .${name}`));
    await workbench.screenshot('wizard-summary');
    // A line of the summary leads to its step and back.
    await quickInput.pick('Limits');
    await quickInput.waitForTitle('(5/');
    await quickInput.pick('1 CPU, 2 GiB');
    await quickInput.waitForTitle('(7/7');
    // What few need has its steps behind one line.
    await quickInput.pick('More…');
    await quickInput.waitForTitle('(7/8');
    assert.equal((await quickInput.labels())[0], 'Ports');
    await quickInput.pick('Variables');
    await quickInput.rows.first().waitFor({ state: 'hidden' });
    await quickInput.box.fill('not a variable');
    await eventually('the message', async () =>
      assert.match(await quickInput.message(), /Enter variables as NAME=value/),
    );
    await quickInput.enter('GREETING="good morning"');
    await quickInput.waitForTitle('(7/7');
    await workbench.screenshot('wizard-more');
    await page.keyboard.press('Enter');
    await row().waitForDescription(/^:2\d{3}/, slow);
    assert.match(await row().spoken(), new RegExp(`Workspace ${name}, running`));
    await workbench.page.locator('.activitybar .badge-content', { hasText: /^1$/ }).waitFor();
    await workbench.notifications.press(`Workspace ${name} is ready`, 'Terminal');
  });

  it('has a terminal', async () => {
    const { workbench } = ui.session;
    await workbench.terminal.waitForText(/\$/, slow);
    await workbench.terminal.type('echo sum-$((6*7)); stty size');
    await workbench.terminal.waitForText('sum-42');
    await workbench.terminal.type('echo "$GREETING $((40+2))"');
    await workbench.terminal.waitForText('good morning 42');
    await row().showTooltip(workbench.page.getByText('Container name'));
    await workbench.screenshot('terminal');
  });

  it('answers Ctrl+C at once in a terminal that is flooded', async () => {
    const { page, terminal } = ui.workbench;
    await terminal.type('clear; yes "$(seq -s " " 30)"');
    await terminal.waitForText(/28 29 30/);
    await sleep(5_000);
    await page.keyboard.press('Control+C');
    const begun = performance.now();
    await terminal.waitForText(/\^C.*\n.*\$/, slow);
    const ms = Math.round(performance.now() - begun);
    console.log(`      the prompt is back after ${ms} ms`);
    assert.ok(ms < 4_000, `${ms} ms`);
    await terminal.type('clear');
  });

  it('says in the terminal that it stopped, and connects again when it runs', async () => {
    const { workbench } = ui.session;
    await row().contextMenu('Stop Workspace');
    await eventually(
      'the play button',
      async () => {
        assert.match(await row().spoken(), /stopped/);
      },
      slow,
    );
    await workbench.terminal.waitForText('Disconnected', slow);
    await row().inlineAction('Start Workspace');
    await eventually('the workspace to run', async () => assert.match(await row().spoken(), /running/), slow);
    await workbench.terminal.screen.click();
    await workbench.page.keyboard.press('Space');
    await workbench.terminal.waitForText(/Press any key[\s\S]*\$/, slow);
  });

  it('keeps its log in an output channel', async () => {
    const { workbench } = ui.session;
    await row().contextMenu('Show Workspace Log');
    await workbench.page.locator('.pane-body, .output-view, .monaco-editor').first().waitFor();
  });

  it('offers what there is when no Remote-SSH extension is installed', async () => {
    const { workbench } = ui.session;
    await row().contextMenu('Open Workspace');
    // The extensions of a served VS Code run beside its server, where no Remote-SSH of the user's machine is seen.
    await workbench.notifications.waitFor(/Remote-SSH of your own machine/);
    await workbench.screenshot('open-on-the-remote-side');
    await workbench.notifications.press(/Remote-SSH of your own machine/, 'Open Terminal');
    await eventually('a terminal of its own', async () =>
      assert.doesNotMatch(await workbench.terminal.text(), /Disconnected/),
    );
    await workbench.terminal.waitForText('$', slow);
    await workbench.terminal.waitForFocus();
  });

  it('gets another label, and undoes it', async () => {
    const { workbench } = ui.session;
    await workbench.quickInput.enterAfter(() => row().contextMenu('Rename Workspace…'), 'My project');
    const renamed = workbench.tree('Workspaces').row('My project');
    await renamed.waitForDescription(new RegExp(` · ${name}$`));
    await workbench.notifications.press('Renamed', 'Undo');
    await row().waitFor();
  });

  it('is renamed by F2, and asks before it touches the SSH config', async () => {
    const { workbench } = ui.session;
    await row().click();
    await workbench.page.keyboard.press('F2');
    await workbench.quickInput.waitForTitle(`Rename ${name}`);
    await workbench.quickInput.cancel();
    await workbench.run('Berth: Add Berth to SSH Config…');
    assert.match(await workbench.dialog.text(), /It includes \//);
    await workbench.screenshot('ssh-consent');
    await workbench.dialog.press('Add the Line');
    const config = join(ui.session.vscode.home, '.ssh', 'config');
    await eventually('the line', async () => assert.match(await readFile(config, 'utf8'), /^Include "?\//));
  });

  it('starts with an empty volume in place of one that is gone, after a dialog that names it', async () => {
    const { workbench } = ui.session;
    const home = `workspace-${name}`;
    const isStopped = () =>
      eventually('it to be stopped', async () =>
        assert.match(await row().spoken(), new RegExp(`Workspace ${name}, stopped`)),
      );
    await berth(ui.session, 'stop', name);
    await isStopped();
    await run('docker', ['rm', '-f', home]);
    await run('docker', ['volume', 'rm', home]);
    await row().contextMenu('Start Workspace');
    await workbench.notifications.press(`The volume ${home} is gone`, 'Start with an Empty Volume…');
    assert.match(await workbench.dialog.text(), new RegExp(`The volume ${home} is gone`));
    await workbench.screenshot('volume-gone');
    await workbench.dialog.press('Cancel');
    await isStopped();
    await row().contextMenu('Start Workspace');
    await workbench.notifications.press(`The volume ${home} is gone`, 'Start with an Empty Volume…');
    await workbench.dialog.press('Start with an Empty Volume');
    await row().waitForDescription(/^:2\d{3}/, slow);
  });

  it('has a panel: what it uses, where its files are, its last words and its buttons', async () => {
    const { workbench } = ui.session;
    await row().contextMenu('Show Workspace Panel');
    const page = workbench.page.frameLocator('iframe.webview').frameLocator('#active-frame');
    await page.getByRole('heading', { name, exact: true }).waitFor({ timeout: slow });
    await page.getByRole('img', { name: /^CPU: \d+ % of one CPU$/ }).waitFor({ timeout: slow });
    await page
      .locator('#volumes')
      .getByText(/^[\d.]+ KiB$/)
      .waitFor({ timeout: slow });
    await page.locator('#log pre').waitFor({ timeout: slow });
    // The scale of a drawing covers none of its newest figures, which are at the right.
    const [drawing, scale] = await Promise.all(
      ['svg', '.top'].map((part) => page.locator(`.series.memory ${part}`).boundingBox()),
    );
    assert.ok(drawing && scale && scale.x + scale.width < drawing.x + drawing.width / 2);
    // What it lists last is of the workspace, not of Berth.
    await page.getByRole('heading', { name: 'Details', exact: true }).waitFor();
    await sleep(6_000);
    await workbench.screenshot('panel');
    // Its snapshots, the newest first.
    const timeline = page.locator('#snapshots');
    await timeline.getByRole('button', { name: 'Snapshot…', exact: true }).press('Enter');
    await workbench.quickInput.enter('older');
    await timeline.locator('li strong').filter({ hasText: 'older' }).waitFor({ timeout: slow });
    await berth(ui.session, 'snapshot', 'create', `workspace-${name}`, '--name', 'newer');
    await eventually('both', async () =>
      assert.deepEqual(await timeline.locator('li strong').allInnerTexts(), ['newer', 'older']),
    );
    await timeline
      .getByText(/^Home · [\d.]+ KiB$/)
      .first()
      .waitFor();
    await workbench.screenshot('panel-timeline');
    await timeline.getByRole('button', { name: 'Delete snapshot older of Home' }).press('Enter');
    assert.match(await workbench.dialog.text(), /^Delete the snapshot older of /);
    await workbench.dialog.press('Delete');
    await eventually('the other one', async () =>
      assert.deepEqual(await timeline.locator('li strong').allInnerTexts(), ['newer']),
    );
    // By the keyboard, too.
    const restore = timeline.getByRole('button', { name: 'Restore Home from snapshot newer' });
    assert.equal(await restore.getAttribute('aria-disabled'), 'true');
    await page.getByRole('button', { name: 'Stop', exact: true }).press('Enter');
    await page.getByRole('status').filter({ hasText: 'stopped' }).waitFor({ timeout: slow });
    await eventually('the way back', async () =>
      assert.equal(await restore.getAttribute('aria-disabled'), null),
    );
    await restore.press('Enter');
    assert.match(await workbench.dialog.text(), new RegExp(`^Restore workspace-${name} from newer\\?`));
    await workbench.page.keyboard.press('Escape');
    await berth(ui.session, 'snapshot', 'delete', `workspace-${name}`, 'newer', '--yes');
    await timeline.locator('li').first().waitFor({ state: 'hidden', timeout: slow });
    await page.getByRole('button', { name: 'Start', exact: true }).press('Enter');
    await page.getByRole('status').filter({ hasText: 'running' }).waitFor({ timeout: slow });
    await workbench.editor.closeAll();
  });

  it('is deleted only after a dialog that names what goes, with sizes', async () => {
    const { workbench } = ui.session;
    await row().contextMenu('Delete Workspace…');
    const text = await workbench.dialog.text();
    assert.match(text, new RegExp(`Delete workspace ${name} and its files`));
    assert.match(text, new RegExp(`volume workspace-${name}: [\\d.]+ (?:[KMG]i)?B`));
    assert.match(text, /cannot be undone/);
    await workbench.screenshot('delete');
    await workbench.dialog.press('Cancel');
    await row().waitFor();
    await row().contextMenu('Delete Workspace…');
    await workbench.dialog.press('Delete');
    await row().waitFor('hidden', slow);
    await workbench.tree('Volumes').row(name).waitFor('hidden', slow);
  });
});
