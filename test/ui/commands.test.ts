import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { promisify } from 'node:util';
import { berth } from './cleanup';
import { eventually } from './support/eventually';
import { changeMachineSettings } from './support/settings';
import { useSession } from './use-session';

const slow = 90_000;

async function docker(...argv: string[]): Promise<string> {
  return (await promisify(execFile)('docker', argv, { timeout: 30_000 })).stdout.trim();
}

describe('commands that ask, from the palette and the menus', function () {
  this.timeout(240_000);
  const tag = randomBytes(3).toString('hex');
  const name = `uic-${tag}`;
  const other = `uia-${tag}`;
  const made = `uiv-${tag}`;
  /** Takes requests, and answers none. */
  const registry = createServer(() => undefined);
  const ui = useSession({
    workspaces: [name, other],
    // Before the window shows its volumes.
    prepare: async (folder) => {
      await docker('volume', 'create', `workspace-${other}`);
      return { folder };
    },
  });

  before(async () => {
    await once(registry.listen(0, '127.0.0.1'), 'listening');
    await berth(ui.session, 'create', name);
    await row().waitFor('visible', slow);
  });

  after(async () => {
    registry.closeAllConnections();
    registry.close();
    await docker('volume', 'rm', '-f', `workspace-${other}`, made);
  });

  const row = (label = name) => ui.workbench.tree('Workspaces').row(label);
  const volume = (label: string) => ui.workbench.tree('Volumes').row(label);
  const until = (state: string, label = name) =>
    eventually(
      `${label} to be ${state}`,
      async () => assert.match(await row(label).spoken(), new RegExp(state)),
      slow,
    );
  const inspect = (format: string) => docker('inspect', '-f', format, `workspace-${name}`);

  /** Up to the dialog that says what the rebuild costs, and its answer. */
  async function publishAndRebuild(answer: 'Cancel' | 'Rebuild'): Promise<void> {
    const { quickInput, dialog, notifications } = ui.workbench;
    await berth(ui.session, 'exec', name, '--', 'touch', '/var/tmp/own');
    await row().contextMenu('Publish Port…');
    await quickInput.waitForTitle(`Publish a Port of ${name}`);
    await quickInput.enter('8000');
    await notifications.press(`The ports of ${name} change with its next rebuild`, 'Rebuild…');
    await quickInput.pick('workspace:latest');
    await dialog.press(answer);
  }

  it('a command of the palette offers what it can work on, and nothing else', async () => {
    const { workbench } = ui.session;
    await workbench.run('Berth: Pause Workspace');
    assert.deepEqual(await workbench.quickInput.labels(), [name]);
    await workbench.quickInput.pick(name);
    await until('paused');
    await workbench.run('Berth: Pause Workspace');
    await workbench.notifications.waitFor('No workspace is running.');
    await workbench.run('Berth: Resume Workspace');
    await workbench.quickInput.pick(name);
    await until('running');
  });

  it('restarts', async () => {
    const before = await inspect('{{.State.StartedAt}}');
    await row().contextMenu('Restart Workspace');
    await eventually(
      'a new start',
      async () => assert.notEqual(await inspect('{{.State.StartedAt}}'), before),
      slow,
    );
    await until('running');
  });

  it('changes limits while it runs, and takes them back', async () => {
    const { quickInput, notifications } = ui.workbench;
    await row().contextMenu('Edit Workspace Limits…');
    await quickInput.waitForTitle(`Limits of ${name}`);
    await quickInput.pick('1 CPU, 2 GiB');
    await eventually('the limit', async () =>
      assert.equal(await inspect('{{.HostConfig.NanoCpus}}'), '1000000000'),
    );
    await notifications.press(`${name}: 1 CPU, 2 GiB`, 'Undo');
    // Docker takes no limit away while a container runs: the row says what that takes.
    await row().expand();
    await row('Takes effect with the next rebuild: CPUs, memory.').waitFor();
  });

  it('publishes a port with the next rebuild, which it offers, and takes it back', async () => {
    const { workbench } = ui.session;
    const { quickInput } = workbench;
    await publishAndRebuild('Cancel');
    await row('Port 8000').waitForDescription(/^127\.0\.0\.1:\d+$/);
    await row('Takes effect with the next rebuild: ports.').waitForDescription(/^“Rebuild…” keeps all/);
    await row().contextMenu('Publish Port…');
    await quickInput.waitForTitle(`Publish a Port of ${name}`);
    await quickInput.box.fill('18000:8000');
    await eventually('the message', async () =>
      assert.match(await quickInput.message(), /published already/),
    );
    await quickInput.cancel();
    await workbench.run('Berth: Stop Publishing Port');
    await quickInput.pick(`Port 8000 of ${name}`);
    await row('Port 8000').waitFor('hidden');
    await row('Takes effect with the next rebuild: ports.').waitFor('hidden');
  });

  it('publishes a port by the rebuild that it offers, and takes it back by the next', async () => {
    await publishAndRebuild('Rebuild');
    await row('Takes effect with the next rebuild: ports.').waitFor('hidden', slow);
    await until('running');
    const address = await row('Port 8000').description();
    const serve =
      'echo through >answer; setsid /.berth/bin/python3 -m http.server 8000 >/dev/null 2>&1 </dev/null &';
    await berth(ui.session, 'exec', name, '--', 'sh', '-c', serve);
    await eventually(
      'an answer',
      async () => {
        const answer = await fetch(`http://${address}/answer`, { signal: AbortSignal.timeout(10_000) });
        assert.equal(await answer.text(), 'through\n');
      },
      slow,
    );
    await row('Port 8000').contextMenu('Stop Publishing Port');
    await row('Takes effect with the next rebuild: ports.').waitFor('visible', slow);
  });

  it('rebuilds on an image after saying what is kept and what is lost', async () => {
    const { quickInput, dialog } = ui.workbench;
    await berth(ui.session, 'exec', name, '--', 'touch', '/var/tmp/own');
    const before = await inspect('{{.Id}}');
    await row().contextMenu('Rebuild Workspace from Image…');
    await quickInput.pick('workspace:latest');
    const asked = await dialog.text();
    assert.match(asked, /outside of its volumes: \d+ files?, \d/);
    assert.match(asked, new RegExp(`Kept: volume workspace-${name}\\.`));
    // Enter ends nothing.
    await ui.workbench.page.keyboard.press('Enter');
    assert.equal(await inspect('{{.State.Running}} {{.Id}}'), `true ${before}`);
    await row().contextMenu('Rebuild Workspace from Image…');
    await quickInput.pick('workspace:latest');
    await dialog.text();
    await dialog.press('Commit to Image First…');
    await quickInput.waitForTitle(`Commit ${name} to an Image`);
    await until('stopped');
    await quickInput.cancel();
    await row().contextMenu('Start Workspace');
    await until('running');
    assert.equal(await inspect('{{.Id}}'), before);
    await row().contextMenu('Rebuild Workspace from Image…');
    await quickInput.pick('workspace:latest');
    await dialog.press('Rebuild');
    await eventually('a new container', async () => assert.notEqual(await inspect('{{.Id}}'), before), slow);
    await until('running');
    assert.doesNotMatch(await inspect('{{.HostConfig.PortBindings}}'), /8000\/tcp/);
  });

  it('shows the log of a workspace', async () => {
    const { workbench } = ui.session;
    await berth(ui.session, 'ssh', name, '--', 'true');
    await row().contextMenu('Show Workspace Log');
    const output = workbench.page.locator('.part.panel .view-lines');
    await eventually('the log', async () => assert.match(await output.innerText(), /Accepted/), slow);
    await workbench.screenshot('logs');
  });

  it('adopts the volume of another tool by name, and with consent', async () => {
    const { workbench } = ui.session;
    await workbench.run('Berth: Use an Existing Volume as Workspace…');
    await workbench.quickInput.pick(other);
    assert.match(await workbench.dialog.text(), /keeps its name and all its files/);
    await workbench.dialog.press('Use Volume');
    await until('running', other);
  });

  it('works on all selected rows, and says what it leaves out', async () => {
    const { workbench } = ui.session;
    await row(other).contextMenu('Stop Workspace');
    await until('stopped', other);
    await row().click();
    await row(other).addToSelection();
    // The menu offers only what all of them can do; the button is that of one row, and works on all.
    await row(other).inlineAction('Start Workspace');
    await workbench.notifications.waitFor('1 of 2 ignored');
    await until('running', other);
    await row(other).contextMenu('Stop Workspace');
    await Promise.all([until('stopped'), until('stopped', other)]);
    await workbench.page.keyboard.press('Delete');
    const text = await workbench.dialog.text();
    assert.match(text, /Delete 2 workspaces and their files\?/);
    for (const each of [name, other]) {
      assert.match(text, new RegExp(`volume workspace-${each}: [\\d.]+ (?:[KMG]i)?B`));
    }
    await workbench.screenshot('delete-two');
    await workbench.dialog.press('Cancel');
    await row(other).waitFor();
  });

  it('does by keys what is meant for the row that has the focus, whatever is selected', async () => {
    const { workbench } = ui.session;
    const { keyboard } = workbench.page;
    const tree = workbench.tree('Workspaces');
    const [first = '', second = ''] = [name, other].sort();
    await tree.row(first).click();
    // A click unfolds a row: below it is the next one again.
    await keyboard.press('ArrowLeft');
    await keyboard.press('ArrowDown');
    await keyboard.press('Delete');
    assert.match(await workbench.dialog.text(), new RegExp(`Delete workspace ${second}`));
    await workbench.dialog.press('Cancel');
    await keyboard.press('F2');
    await workbench.quickInput.waitForTitle(second);
    await workbench.quickInput.cancel();
  });

  it('archives, and takes it back', async () => {
    const { notifications } = ui.workbench;
    await row(other).click();
    await row(other).contextMenu('Archive Workspace');
    await until('archived', other);
    await notifications.press(`Archived ${other}`, 'Undo');
    await until('running', other);
  });

  it('groups and sorts both views', async () => {
    const { workbench } = ui.session;
    const { quickInput } = workbench;
    // What is unfolded stays so in its group.
    await workbench.tree('Workspaces').titleAction('Collapse All');
    await workbench.run('Berth: Group Workspaces By…');
    await quickInput.pick('State');
    await eventually('the groups', async () =>
      assert.deepEqual(await workbench.tree('Workspaces').labels(), ['running', other, 'stopped', name]),
    );
    await workbench.screenshot('grouped');
    await workbench.run('Berth: Group Workspaces By…');
    await quickInput.pick('Nothing');
    await workbench.run('Berth: Sort Workspaces By…');
    await quickInput.pick('Created, newest first');
    // What was adopted is as old as its volume.
    await eventually('the order', async () =>
      assert.deepEqual(await workbench.tree('Workspaces').labels(), [name, other]),
    );
    await workbench.run('Berth: Group Volumes By…');
    await quickInput.pick('Nothing');
    await workbench.tree('Volumes').row('Homes').waitFor('hidden');
    await workbench.run('Berth: Group Volumes By…');
    await quickInput.pick('Purpose');
    await workbench.tree('Volumes').row('Homes').waitFor();
  });

  it('measures a volume when asked, and by itself when it is opened', async () => {
    await volume(other).contextMenu('Measure Volume Size');
    await volume(other).waitForDescription(/\d (?:[KMG]i)?B/, slow);
    await volume(name).expand();
    await volume(name).waitForDescription(/\d (?:[KMG]i)?B/, slow);
    await volume(name).showTooltip(ui.workbench.page.getByRole('cell', { name: 'Used by' }));
    await ui.workbench.screenshot('volume-panel');
  });

  it('creates and deletes volumes, and offers only those that can be deleted or resized', async () => {
    const { workbench } = ui.session;
    const { quickInput, dialog } = workbench;
    await workbench.run('Berth: Create Volume…');
    await quickInput.box.fill('Not A Name');
    await eventually('the message', async () =>
      assert.match(await quickInput.message(), /Lowercase letters/),
    );
    await quickInput.enter(made);
    await quickInput.pick('Docker volume');
    await volume(made).waitFor('visible', slow);
    await eventually('the new row to be selected', async () =>
      assert.equal(await volume(made).locator.getAttribute('aria-selected'), 'true'),
    );
    await workbench.run('Berth: Resize Volume…');
    await workbench.notifications.waitFor('There is no disk to resize');
    await workbench.run('Berth: Delete Volume…');
    const labels = await quickInput.labels();
    assert.ok(labels.includes(made) && !labels.includes(`workspace-${other}`), labels.join(' '));
    await quickInput.pick(made);
    assert.match(
      await dialog.text(),
      new RegExp(`Delete volume ${made} and all its files\\?[\\s\\S]*${made}: `),
    );
    await dialog.press('Delete');
    await volume(made).waitFor('hidden', slow);
  });

  it('cancels an operation that takes its time', async () => {
    const { workbench } = ui.session;
    await workbench.run('Berth: Pull Image…');
    await workbench.quickInput.enter(`127.0.0.1:${(registry.address() as AddressInfo).port}/nothing:1`);
    // The next command would close a box that is still thinking about its input.
    await workbench.notifications.waitFor('Pulling');
    await eventually('the operation', async () => {
      await workbench.run('Berth: Cancel Operation…');
      await workbench.quickInput.rows.filter({ hasText: 'nothing:1' }).first().click({ timeout: 2_000 });
    });
    const operations = async () =>
      JSON.parse(await berth(ui.session, 'operations', '--json')) as { title: string; status: string }[];
    await eventually('its end', async () => {
      const pull = (await operations()).find(({ title }) => title.includes('nothing:1'));
      assert.equal(pull?.status, 'cancelled');
    });
  });

  it('restarts its engine, keeps its log, and says in the status bar how many run', async () => {
    const { workbench } = ui.session;
    const pid = async (): Promise<number> =>
      (JSON.parse(await berth(ui.session, 'status', '--json')) as { pid: number }).pid;
    const before = await pid();
    await workbench.run('Berth: Restart Engine');
    await eventually('another engine', async () => assert.notEqual(await pid(), before), slow);
    await until('running', other);
    assert.match(await workbench.statusBar(/^\s*1\s*$/), /1/);
    await workbench.run('Berth: Show Berth Log');
    const output = workbench.page.locator('.part.panel .view-lines');
    await eventually('the log', async () =>
      assert.match((await output.innerText()).replace(/\u00a0/g, ' '), /Starting the engine/),
    );
  });

  it('shows the log of the engine, and ends the engine until it is wanted again', async () => {
    const { workbench } = ui.session;
    await workbench.run('Berth: Show Engine Log');
    await workbench.page.locator('.tab', { hasText: 'engine.log' }).waitFor();
    await workbench.run('Berth: Stop Engine');
    await workbench.page.getByText('The Berth engine is stopped.').first().waitFor({ timeout: slow });
    await workbench.run('Berth: Start Engine');
    await row().waitFor('visible', slow);
  });

  it('has a terminal profile', async () => {
    const { workbench } = ui.session;
    const tabs = workbench.page.locator('.tabs-list .monaco-list-row');
    await workbench.run('Berth: Open Workspace Terminal');
    await workbench.quickInput.pick(other);
    await workbench.terminal.waitForText('$', slow);
    // A VS Code that has looked for profiles before it knew of its extensions looks again when these settings change.
    await changeMachineSettings(ui.session, { 'terminal.integrated.defaultProfile.linux': 'bash' });
    await eventually('the profile', async () => {
      await workbench.run('Create New Terminal (With Profile)');
      const profile = workbench.quickInput.rows.filter({ hasText: 'Berth Workspace' });
      await profile.click({ timeout: 3_000 });
    });
    await tabs.nth(1).waitFor();
    // It takes the focus when it is ready, which may be in the middle of a word.
    await eventually('an answer', async () => {
      await workbench.terminal.type('echo profile-$((6*7))');
      await workbench.terminal.waitForText('profile-42', 5_000);
    });
    await workbench.screenshot('terminal-profile');
  });

  it('gives a tour of six steps', async () => {
    const { workbench } = ui.session;
    await workbench.run('Berth: Get Started with Berth');
    const tour = workbench.page.locator('.gettingStartedContainer');
    await tour.getByText('Persistent workspaces on your own machine').waitFor({ timeout: slow });
    assert.equal(await tour.locator('.getting-started-step').count(), 6);
    await workbench.screenshot('walkthrough');
  });
});
