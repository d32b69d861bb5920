import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { berth } from '../cleanup';
import { eventually } from '../support/eventually';
import { useSession } from '../use-session';

const slow = 90_000;

describe('forks', function () {
  this.timeout(400_000);
  const name = `uifork-${randomBytes(3).toString('hex')}`;
  const [one, two] = [`${name}-fork`, `${name}-two`];
  const ui = useSession({ workspaces: [name, one, two] });

  before(async () => {
    await berth(ui.session, 'create', name);
    await write(name, 'source');
  });

  const write = (workspace: string, text: string): Promise<string> =>
    berth(ui.session, 'exec', workspace, '--', 'sh', '-c', 'echo "$0" >~/f', text);
  const exec = (workspace: string, script: string): Promise<string> =>
    berth(ui.session, 'exec', workspace, '--', 'sh', '-c', script);
  const content = (workspace: string): Promise<string> => berth(ui.session, 'cat', `${workspace}:f`);
  const row = (workspace: string) => ui.workbench.tree('Workspaces').row(workspace);

  it('are made from the menu of a row, under names that are checked, and each is a row', async () => {
    const { workbench } = ui;
    await row(name).waitFor('visible', slow);
    await row(name).contextMenu('Fork Workspace…', 'Forks and Snapshots');
    const { quickInput } = workbench;
    await quickInput.waitForTitle(`Fork ${name}`);
    assert.equal(await quickInput.box.inputValue(), one);
    for (const [text, problem] of [
      [name, /There is a workspace/],
      [`${one} ${one}`, /is there twice/],
      [`${one} No`, /lowercase letters/],
    ] as const) {
      await quickInput.box.fill(text);
      await eventually('what is wrong', async () => assert.match(await quickInput.message(), problem));
    }
    await quickInput.enter(`${one} ${two}`);
    await workbench.notifications.waitFor(`Forked ${name}: ${one}, ${two}`, slow);
    for (const fork of [one, two]) {
      await row(fork).waitForDescription(/^:2\d{3}/, slow);
      assert.equal(await content(fork), 'source\n');
    }
    await workbench.screenshot('forks');
  });

  it('are compared with their source in a tree, whose changes are taken over and back, and never over others', async () => {
    const { workbench } = ui;
    const { notifications, dialog } = workbench;
    const changes = workbench.tree('Changes');
    await exec(name, 'echo gone >~/gone');
    await exec(one, 'mkdir -p ~/src/lib && echo new >~/src/lib/new.ts && echo fork >~/f');
    await row(one).contextMenu('Compare Workspace with Source…', 'Forks and Snapshots');
    for (const [label, mark] of [
      ['new.ts', 'A'],
      ['gone', 'D'],
      ['f', 'M'],
    ] as const) {
      await changes.row(label).waitFor('visible', slow);
      await changes.row(label).waitForMark(mark);
    }
    assert.equal(await changes.row('src/lib').description(), '+1');
    await changes.row('f').click();
    const diff = workbench.page.locator('.monaco-diff-editor').first();
    await eventually('both sides', async () => {
      const text = await diff.innerText();
      assert.ok(text.includes('source') && text.includes('fork'), text);
    });
    await workbench.screenshot('forks-compared');

    await write(name, 'mine since');
    await workbench.run('Berth: Take Changes Over to Left Side…');
    const asked = await dialog.text();
    assert.match(asked, new RegExp(`changes over to ${name}\\?[\\s\\S]*Deleted in ${name}:\\n/gone`));
    assert.match(asked, /kept as a snapshot first, so that this can be undone/);
    await workbench.screenshot('forks-take-over');
    await dialog.press('Take Over');
    await notifications.waitFor(/1 deleted there\. Left as it is: .*\/f \(it has changed there/, slow);
    await workbench.screenshot('forks-taken-over');
    assert.equal(await exec(name, 'cat ~/src/lib/new.ts; ls ~/gone 2>&1 | wc -l'), 'new\n1\n');
    assert.equal(await content(name), 'mine since\n');
    await changes.row('new.ts').waitFor('hidden', slow);

    await notifications.press(/1 deleted there/, 'Undo');
    await notifications.waitFor(`${name} is as it was`, slow);
    assert.equal(await exec(name, 'cat ~/gone ~/f; ls ~/src | wc -l'), 'gone\nmine since\n0\n');
    await changes.row('f').inlineAction('Take Changes Over to Left Side…');
    assert.match(await dialog.text(), new RegExp(`^Take /f over to ${name}\\?`));
    await dialog.press('Take Over');
    await eventually('the file', async () => assert.equal(await content(name), 'fork\n'), slow);
    await changes.row('f').waitFor('hidden', slow);
    await workbench.run('Berth: Clear Changes');
    await changes.row('gone').waitFor('hidden');
    await workbench.editor.closeAll();
  });

  it('are kept by their source after a dialog that says what goes', async () => {
    const { workbench } = ui;
    await write(one, 'fork');
    await row(one).contextMenu('Keep Forked Workspace…', 'Forks and Snapshots');
    const said = await workbench.dialog.text();
    for (const part of [`Keep ${one}?`, `All files of ${name} become those of ${one}`, `workspace-${two}`]) {
      assert.ok(said.includes(part), said);
    }
    await workbench.screenshot('forks-keep');
    await workbench.dialog.press('Keep and Delete Forks');
    await workbench.notifications.waitFor(`${name} has the files of ${one}`, slow);
    await row(one).waitFor('hidden', slow);
    await row(two).waitFor('hidden', slow);
    await row(name).waitForDescription(/^:2\d{3}/, slow);
    assert.equal(await content(name), 'fork\n');
  });
});
