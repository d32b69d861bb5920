import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { release } from 'node:os';
import { join } from 'node:path';
import { machinesOf, microvmCache } from '../support/runtimes/microvms';
import { berth, deleteWorkspace } from './cleanup';
import { eventually } from './support/eventually';
import { changeMachineSettings } from './support/settings';
import { useSession } from './use-session';

/** Guests may be emulated, and the first one of a machine waits for its kit and its root file system. */
const slow = 180_000;
const firstTime = 540_000;

describe('a microVM, from the wizard to its end', function () {
  this.timeout(600_000);
  const name = `uim-${randomBytes(3).toString('hex')}`;
  const volume = `workspace-${name}`;
  const image = `${name}:1`;
  let home: string;

  // Before all else is taken away: an image goes while there is an engine to ask.
  after(async () => {
    await deleteWorkspace(ui.session, name);
    await berth(ui.session, 'image', 'remove', image).catch(() => undefined);
    const left = await machinesOf(home);
    left.forEach((pid) => process.kill(pid, 'SIGKILL'));
    assert.deepEqual(left, []);
  });

  const ui = useSession({ own: (folder) => ({ folder, env: { BERTH_CACHE: microvmCache } }) });

  before(() => {
    home = join(ui.session.vscode.home, '.berth');
  });

  const row = (label = name) => ui.workbench.tree('Workspaces').row(label);
  const file = (label: string) => ui.workbench.tree('Volumes').row(label);
  const until = (state: string) =>
    eventually(
      `the microVM to be ${state}`,
      async () => assert.match(await row().spoken(), new RegExp(`, ${state}(,| ·) .*microVM`)),
      slow,
    );
  const inside = (...argv: string[]): Promise<string> => berth(ui.session, 'exec', name, '--', ...argv);

  it('is chosen in the wizard, which says what it is', async () => {
    const { workbench } = ui.session;
    const { quickInput, page } = workbench;
    await workbench.run('Berth: Create Workspace…');
    await quickInput.waitForTitle('(1/');
    await quickInput.enter(name);
    await quickInput.waitForTitle('(2/');
    const engines = (await quickInput.rows.allInnerTexts()).join('\n');
    assert.match(engines, /Container[\s\S]*shares[\s\S]*MicroVM\s*QEMU [\d.]+\s*.*its own kernel/);
    await workbench.screenshot('microvm-wizard-engine');
    await quickInput.pick('MicroVM');
    for (const step of ['(3/', '(4/', '(5/']) {
      await quickInput.waitForTitle(step);
      await workbench.screenshot(`microvm-wizard-${step.slice(1, 2)}`);
      if (step !== '(5/') {
        await page.keyboard.press('Enter');
      }
    }
    // Of the size that the other tests have: the template of its saved state is made once.
    await quickInput.pick('Custom…');
    await quickInput.waitForTitle('(6/9');
    await page.keyboard.press('Enter');
    await quickInput.waitForTitle('(7/9');
    await quickInput.enter('256 MiB');
    await quickInput.waitForTitle('(8/9');
    await workbench.screenshot('microvm-wizard-docker');
    await page.keyboard.press('Enter');
    await quickInput.waitForTitle('(9/9');
    const summary = await quickInput.rows.allInnerTexts();
    assert.match(summary.join('\n'), /Runs as\s*microVM/);
    assert.match(summary.join('\n'), /256 MiB/);
    await workbench.screenshot('microvm-wizard-summary');
    await page.keyboard.press('Enter');
  });

  it('shows its steps while it is made, and what it is when it runs', async () => {
    const { workbench } = ui.session;
    await row().waitForDescription(/^creating…|microVM/, slow);
    const steps = ['Find the image', 'Prepare the image', 'Create the microVM', 'Prepare the microVM'];
    const last = ['Boot', 'Install keys and start SSH'];
    await row().expand();
    // All are named from the beginning, and the row of the whole says the same as the notification.
    await row('Install keys and start SSH').waitFor('visible', slow);
    // Its port and its home may have rows already.
    const labels = await workbench.tree('Workspaces').labels();
    assert.deepEqual(
      labels.filter((label) => [...steps, ...last].includes(label)),
      [...steps, ...last],
    );
    await eventually(
      'the boot in the row and in the notification',
      async () => {
        const booting = workbench.tree('Workspaces').rows.filter({ hasText: /Boot \(5\/6\)/ });
        await booting.first().waitFor({ timeout: 2_000 });
        await workbench.notifications.waitFor(/Boot \(5\/6\)/, 2_000);
      },
      firstTime,
    );
    await workbench.screenshot('microvm-creating');
    await row().waitForDescription(/^:2\d{3} · .*microVM$/, firstTime);
    await until('running');
    await row().showTooltip(workbench.page.getByRole('cell', { name: 'MicroVM name' }));
    await workbench.screenshot('microvm-panel');
    await workbench.notifications.press(`Workspace ${name} is ready`, 'Terminal');
  });

  it('has a terminal under a kernel of its own', async () => {
    const { terminal } = ui.workbench;
    await terminal.waitForText('$', slow);
    await terminal.type('echo "kernel=$(uname -r)=" on $((6*7))');
    await terminal.waitForText('= on 42', slow);
    const kernel = /kernel=(\S+)=/.exec((await terminal.text()).replace(/echo .*/, ''))?.[1];
    assert.match(kernel ?? '', /^\d+\.\d+/);
    assert.notEqual(kernel, release());
    await terminal.type('mkdir src; echo one > src/hello.txt');
    await ui.workbench.screenshot('microvm-terminal');
  });

  it('has files that open, change and are saved while it runs', async () => {
    const { workbench } = ui.session;
    const { editor } = workbench;
    await row().contextMenu('Browse Workspace Files');
    await file('src').waitFor('visible', slow);
    await file('src').expand();
    await file('hello.txt').doubleClick();
    await editor.waitForTab('hello.txt');
    await editor.waitForText('one');
    await editor.append('two\n');
    await editor.save('hello.txt');
    await eventually(
      'the file inside',
      async () => assert.equal(await inside('cat', 'src/hello.txt'), 'one\ntwo\n'),
      slow,
    );
    await file(name).waitForDescription(/^home · disk · .*in use$/, slow);
    await workbench.screenshot('microvm-edit-running');
    await inside('touch', 'src/made-inside.txt');
    await file('made-inside.txt').waitFor('visible', slow);
  });

  it('publishes a port while it runs', async () => {
    const { workbench } = ui.session;
    const { quickInput, notifications } = workbench;
    await row().contextMenu('Publish Port…');
    await quickInput.waitForTitle(`Publish a Port of ${name}`);
    await quickInput.box.fill('80000');
    await eventually('the message', async () => assert.match(await quickInput.message(), /at most 65535/));
    await quickInput.enter('8000');
    await notifications.press(`Port 8000 of ${name} is reached at 127.0.0.1:`, 'Copy Address');
    await row().expand();
    await row('Port 8000').waitFor('visible', slow);
    await row('Port 8000').waitForDescription(/^127\.0\.0\.1:\d+$/);
    const address = await row('Port 8000').description();
    await workbench.terminal.type('/.berth/bin/python3 -m http.server 8000 -d src >/dev/null 2>&1 &');
    await eventually(
      'an answer',
      async () => {
        const answer = await fetch(`http://${address}/hello.txt`, { signal: AbortSignal.timeout(10_000) });
        assert.equal(await answer.text(), 'one\ntwo\n');
      },
      slow,
    );
    await workbench.screenshot('microvm-port');
    await row('Port 8000').contextMenu('Stop Publishing Port');
    await row('Port 8000').waitFor('hidden', slow);
    await assert.rejects(fetch(`http://${address}/`, { signal: AbortSignal.timeout(10_000) }));
    await notifications.press(`${address} is no longer published.`, 'Undo');
    await berth(ui.session, 'port', 'add', name, '8001');
    await row('Port 8001').waitFor('visible', slow);
    await row('Port 8000').waitForDescription(new RegExp(`^${address.replaceAll('.', '\\.')}$`));
  });

  it('stands still while it is paused', async () => {
    await row().contextMenu('Pause Workspace');
    await until('paused');
    await ui.workbench.screenshot('microvm-paused');
    await row().inlineAction('Resume Workspace');
    await until('running');
    assert.equal(await inside('cat', 'src/hello.txt'), 'one\ntwo\n');
  });

  it('has files that open, change and are saved while it is stopped', async () => {
    const { workbench } = ui.session;
    const { editor } = workbench;
    await editor.closeAll();
    await row().contextMenu('Stop Workspace');
    await until('stopped');
    await eventually('the disk to be free', async () =>
      assert.doesNotMatch(await file(name).description(), /in use/),
    );
    // What the shell wrote at its end shows now, above it: a click may meet another row.
    await eventually('the file to open', async () => {
      await file('hello.txt').doubleClick();
      await editor.tab('hello.txt').waitFor({ timeout: 5_000 });
    });
    await editor.waitForText('two');
    await editor.append('three\n');
    await editor.save('hello.txt');
    await eventually('the file on the disk', async () =>
      assert.equal(await berth(ui.session, 'cat', `${name}:src/hello.txt`), 'one\ntwo\nthree\n'),
    );
    await workbench.screenshot('microvm-edit-stopped');
  });

  it('becomes an image', async () => {
    const { quickInput, notifications } = ui.workbench;
    await row().contextMenu('Commit Workspace to Image…');
    await quickInput.waitForTitle(`Commit ${name} to an Image`);
    assert.equal(await quickInput.box.inputValue(), image);
    await ui.workbench.page.keyboard.press('Enter');
    await notifications.waitFor(`Committed ${image}:`, slow);
    await ui.workbench.screenshot('microvm-commit');
    assert.match(await berth(ui.session, 'image', 'list'), new RegExp(name));
  });

  it('finds all its files when it starts again', async () => {
    const tree = ui.workbench.tree('Volumes');
    await row().inlineAction('Start Workspace');
    const seen: string[][] = [];
    await eventually(
      'the microVM to run',
      async () => {
        seen.push(await tree.labels());
        assert.match(await row().spoken(), /, running, .*microVM/);
      },
      slow,
    );
    assert.equal(await inside('cat', 'src/hello.txt'), 'one\ntwo\nthree\n');
    // Who reads the files changes on the way; folders stay open, and nothing is said to be wrong.
    const flaws = seen.filter((labels) => !labels.includes('hello.txt'));
    assert.deepEqual(flaws, []);
  });

  it('can be seen in every theme', async () => {
    const { workbench } = ui.session;
    const themes = { 'Default Light Modern': 'vs', 'Default High Contrast': 'hc-black' };
    for (const [theme, kind] of Object.entries(themes)) {
      await changeMachineSettings(ui.session, { 'workbench.colorTheme': theme });
      await workbench.page.locator(`.monaco-workbench.${kind}`).waitFor();
      await workbench.screenshot(`microvm-${kind}`);
    }
    await changeMachineSettings(ui.session, { 'workbench.colorTheme': 'Default Dark Modern' });
    await workbench.page.locator('.monaco-workbench.vs-dark').waitFor();
  });

  it('is deleted only after a dialog that names what goes, and leaves nothing', async () => {
    const { workbench } = ui.session;
    await row().contextMenu('Delete Workspace…');
    const text = await workbench.dialog.text();
    assert.match(text, new RegExp(`volume ${volume}: [\\d.]+ (?:[KMG]i)?B`));
    assert.match(text, /microVM/);
    await workbench.screenshot('microvm-delete');
    await workbench.dialog.press('Delete');
    await row().waitFor('hidden', slow);
    await file(name).waitFor('hidden', slow);
    await eventually('its processes to end', async () => assert.deepEqual(await machinesOf(home), []), slow);
    assert.equal(existsSync(join(home, 'workspaces', name)), false);
    assert.deepEqual(await readdir(join(home, 'volumes')), ['index.json']);
  });
});
