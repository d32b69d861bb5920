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
  const content = (workspace: string): Promise<string> => berth(ui.session, 'cat', `${workspace}:f`);
  const row = (workspace: string) => ui.workbench.tree('Workspaces').row(workspace);

  it('are made from the menu of a row, under names that are checked, and each is a row', async () => {
    const { workbench } = ui;
    await row(name).waitFor('visible', slow);
    await row(name).contextMenu('Fork Workspace…');
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

  it('are kept by their source after a dialog that says what goes', async () => {
    const { workbench } = ui;
    await write(one, 'fork');
    await row(one).contextMenu('Keep Forked Workspace…');
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
