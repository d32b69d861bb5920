/** A workspace on the Docker of another machine, in a window that uses the one of this machine by now. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { berthVsix } from '../runner/package-extension';
import { useOtherMachine } from '../support/programs/use-other-machine';
import { berth } from './cleanup';
import { launch, pictureFailure, type Session } from './support/launch';
import { changeUserSettings } from './support/settings';

const slow = 90_000;
/** Small, and on every machine that has Berth. */
const image = 'berth-tools:1';

describe('a workspace of another machine than the one in use', function () {
  this.timeout(180_000);
  const name = `ui-${randomBytes(3).toString('hex')}`;
  const theMachine = useOtherMachine({ image });
  let session: Session;
  let folder: string;

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'berth-ui-'));
    session = await launch({
      vsix: await berthVsix(),
      folder,
      env: { DOCKER_TLS_VERIFY: '1', DOCKER_CERT_PATH: theMachine().certificates },
      settings: { 'berth.dockerHost': theMachine().tcpHost },
    });
    const { workbench } = session;
    await workbench.openSideBar('Berth');
    await workbench.page.getByText('A workspace is a named computer').waitFor({ timeout: slow });
    await berth(session, 'create', name, '--image', image);
  });

  afterEach(function () {
    return pictureFailure(session, this.currentTest);
  });

  after(async () => {
    await session.stop();
    await rm(folder, { recursive: true });
  });

  const row = () => session.workbench.tree('Workspaces').row(name);
  const isElsewhere = () =>
    new RegExp(
      `Workspace ${name} is on ${theMachine().address}, and the container engine in use is that of this machine`,
    );

  it('says on its row which machine it is on', async () => {
    await row().waitForDescription(new RegExp(`container on ${theMachine().address}`), slow);
  });

  it('says on its row that another container engine is in use', async () => {
    const { workbench } = session;
    const host = process.env.DOCKER_HOST ?? 'unix:///var/run/docker.sock';
    await changeUserSettings(session, { 'berth.dockerHost': host });
    // A served VS Code reads the user's file again with the window only.
    await workbench.page.reload();
    await workbench.openSideBar('Berth');
    await row().waitFor('visible', slow);
    await row().showTooltip(workbench.page.locator('.workbench-hover', { hasText: isElsewhere() }));
    await workbench.screenshot('elsewhere');
  });

  it('is kept when the dialog that its error offers is cancelled, which names what stays there', async () => {
    const { dialog, notifications } = session.workbench;
    await row().contextMenu('Stop Workspace');
    await notifications.press(isElsewhere(), 'Forget Workspace…');
    const text = await dialog.text();
    assert.match(text, new RegExp(`^Forget workspace ${name}\\?`));
    assert.match(
      text,
      new RegExp(`stays there:\\s+• container workspace-${name}\\s+• volume workspace-${name}`),
    );
    await session.workbench.screenshot('forget');
    await dialog.press('Cancel');
    await row().waitFor();
  });

  it('is gone from the view after the dialog, and its container still runs on its machine', async () => {
    const { dialog, notifications } = session.workbench;
    await row().contextMenu('Stop Workspace');
    await notifications.press(isElsewhere(), 'Forget Workspace…');
    await dialog.press('Forget');
    await row().waitFor('hidden', slow);
    const { docker } = theMachine();
    const { State: state } = await docker.getContainer(`workspace-${name}`).inspect();
    assert.equal(state.Status, 'running');
    assert.equal((await docker.getVolume(`workspace-${name}`).inspect()).Name, `workspace-${name}`);
    assert.equal((await berth(session, 'list', '--quiet')).trim(), '');
  });
});
