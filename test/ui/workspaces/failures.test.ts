import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { eventually } from '../support/eventually';
import { useSession } from '../use-session';

const slow = 90_000;
/** Nobody listens there. */
const nowhere = '127.0.0.1:1/nothing:1';

describe('a create that fails', function () {
  this.timeout(240_000);
  const name = `uif-${randomBytes(3).toString('hex')}`;

  const ui = useSession({ workspaces: [name] });

  const said = 'the registry can not be reached';
  const newest = () => ui.workbench.notifications.with(said);
  const dismissed = () =>
    eventually('the message to go', async () => assert.equal(await newest().count(), 0), slow);

  it('says what happened in our words, without those of the engine below', async () => {
    const { quickInput, page, notifications } = ui.workbench;
    await ui.workbench.run('Berth: Create Workspace…');
    await quickInput.waitForTitle('(1/');
    await quickInput.enter(name);
    await quickInput.waitForTitle('(2/');
    await quickInput.pick('Container');
    await quickInput.waitForTitle('(3/');
    await quickInput.box.fill(nowhere);
    await quickInput.pick(nowhere);
    await quickInput.waitForTitle('(4/');
    await page.keyboard.press('Enter');
    await quickInput.waitForTitle('(5/');
    await quickInput.pick('1 CPU, 2 GiB');
    await quickInput.waitForTitle('(6/');
    await page.keyboard.press('Enter');
    await quickInput.waitForTitle('(7/');
    await page.keyboard.press('Enter');
    await notifications.waitFor(said, slow);
    assert.doesNotMatch(await newest().innerText(), /dial tcp|The container engine says/);
    await ui.workbench.screenshot('create-failed');
  });

  it('shows the words of the engine below to who asks', async () => {
    const { notifications, dialog } = ui.workbench;
    await notifications.press(said, 'Show Details');
    assert.match(await dialog.text(), /dial tcp 127\.0\.0\.1:1: connect: connection refused/);
    await ui.workbench.screenshot('create-failed-details');
    // From there it is tried again, too: with the same image it fails the same way.
    await dialog.press('Try Again');
    await notifications.waitFor(said, slow);
  });

  it('is tried again with another image and all other answers', async () => {
    const { notifications, quickInput, page } = ui.workbench;
    await notifications.press(said, 'Try Again');
    await dismissed();
    await notifications.waitFor(said, slow);
    await notifications.press(said, 'Change Image…');
    await quickInput.waitForTitle('Create Workspace');
    await quickInput.pick('workspace:latest');
    await quickInput.waitForTitle('(7/7');
    const summary = (await quickInput.rows.allInnerTexts()).join('\n');
    assert.match(
      summary,
      new RegExp(`Name\\s*${name}[^]*Image\\s*workspace:latest[^]*Limits\\s*1 CPU, 2 GiB`),
    );
    await page.keyboard.press('Enter');
    await notifications.waitFor(`Workspace ${name} is ready`, slow);
  });
});
