import assert from 'node:assert/strict';
import { useSession } from './use-session';

const slow = 90_000;
const nowhere = 'unix:///nothing/there.sock';

describe('a machine without Docker', function () {
  this.timeout(240_000);

  const ui = useSession({
    begins: 'in the side bar',
    own: (folder) => ({ folder, settings: { 'berth.dockerHost': nowhere } }),
  });

  const view = (title: string) => ui.workbench.tree(title).pane;

  it('is told in both views which address was tried', async () => {
    await view('Volumes').getByText(`No container engine answers. ${nowhere}`).waitFor({ timeout: slow });
    await view('Workspaces').getByText(`nothing answers at ${nowhere}`).waitFor({ timeout: slow });
    await ui.workbench.screenshot('no-docker');
  });

  it('starts Docker in a terminal that shows the command', async () => {
    const { terminal } = ui.workbench;
    await view('Workspaces').getByRole('button', { name: 'Start Docker…' }).click();
    await terminal.waitForText(/systemctl (--user )?start (docker|podman)/, slow);
    // What needs a password is not run: Enter is the user's.
    assert.doesNotMatch(await terminal.text(), /systemctl start docker\s*\n.*(password|Failed|not found)/s);
    await ui.workbench.screenshot('no-docker-start');
  });

  it('has the command that installs QEMU typed, and not run', async () => {
    await ui.workbench.run('Berth: Install QEMU…');
    await ui.workbench.terminal.waitForText(/sudo apt install qemu-system-\w+ qemu-utils e2fsprogs/, slow);
    await ui.workbench.screenshot('no-docker-qemu');
  });

  it('has a microVM of a registry’s image preselected in the wizard', async () => {
    const { quickInput, page } = ui.workbench;
    await ui.workbench.run('Berth: Create Workspace…');
    await quickInput.waitForTitle('(1/');
    await quickInput.enter('alone');
    await quickInput.waitForTitle('(2/');
    await quickInput.rows.filter({ hasText: 'not available' }).waitFor({ timeout: slow });
    // What is preselected is taken by Enter.
    await page.keyboard.press('Enter');
    await quickInput.waitForTitle('(3/');
    await ui.workbench.screenshot('no-docker-image');
    await page.keyboard.press('Enter');
    for (const step of ['(4/', '(5/', '(6/']) {
      await quickInput.waitForTitle(step);
      await page.keyboard.press('Enter');
    }
    await quickInput.waitForTitle('(7/');
    const summary = (await quickInput.rows.allInnerTexts()).join('\n');
    assert.match(summary, /Runs as\s*microVM/);
    assert.match(summary, /Image\s*debian:12/);
    await quickInput.cancel();
  });
});
