/** A workspace on the Docker of another machine, in a window that uses the one of this machine by now. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { useOtherMachine } from '../support/programs/use-other-machine';
import { berth } from './cleanup';
import { changeUserSettings } from './support/settings';
import { useSession } from './use-session';

const slow = 90_000;
/** Small, and on every machine that has Berth. */
const image = 'berth-tools:1';

describe('a workspace of another machine than the one in use', function () {
  this.timeout(180_000);
  const name = `ui-${randomBytes(3).toString('hex')}`;
  const theMachine = useOtherMachine({ image });

  const ui = useSession({
    own: (folder) => ({
      folder,
      env: { DOCKER_TLS_VERIFY: '1', DOCKER_CERT_PATH: theMachine().certificates },
      settings: { 'berth.dockerHost': theMachine().tcpHost },
    }),
  });

  before(async () => {
    await berth(ui.session, 'create', name, '--image', image);
  });

  const row = () => ui.workbench.tree('Workspaces').row(name);
  const isElsewhere = () =>
    new RegExp(
      `Workspace ${name} is on ${theMachine().address}, and the container engine in use is that of this machine`,
    );

  it('says on its row which machine it is on', async () => {
    await row().waitForDescription(new RegExp(`container on ${theMachine().address}`), slow);
  });

  it('says on its row that another container engine is in use', async () => {
    const { workbench } = ui.session;
    const host = process.env.DOCKER_HOST ?? 'unix:///var/run/docker.sock';
    await changeUserSettings(ui.session, { 'berth.dockerHost': host });
    // A served VS Code reads the user's file again with the window only.
    await workbench.page.reload();
    await workbench.openSideBar('Berth');
    await row().waitFor('visible', slow);
    await row().showTooltip(workbench.page.locator('.workbench-hover', { hasText: isElsewhere() }));
    await workbench.screenshot('elsewhere');
  });

  it('is kept when the dialog that its error offers is cancelled, which names what stays there', async () => {
    const { dialog, notifications } = ui.workbench;
    await row().contextMenu('Stop Workspace');
    await notifications.press(isElsewhere(), 'Forget Workspace…');
    const text = await dialog.text();
    assert.match(text, new RegExp(`^Forget workspace ${name}\\?`));
    assert.match(
      text,
      new RegExp(`stays there:\\s+• container workspace-${name}\\s+• volume workspace-${name}`),
    );
    await ui.workbench.screenshot('forget');
    await dialog.press('Cancel');
    await row().waitFor();
  });

  it('is gone from the view after the dialog, and its container still runs on its machine', async () => {
    const { dialog, notifications } = ui.workbench;
    await row().contextMenu('Stop Workspace');
    await notifications.press(isElsewhere(), 'Forget Workspace…');
    await dialog.press('Forget');
    await row().waitFor('hidden', slow);
    const { docker } = theMachine();
    const { State: state } = await docker.getContainer(`workspace-${name}`).inspect();
    assert.equal(state.Status, 'running');
    assert.equal((await docker.getVolume(`workspace-${name}`).inspect()).Name, `workspace-${name}`);
    assert.equal((await berth(ui.session, 'list', '--quiet')).trim(), '');
  });
});
