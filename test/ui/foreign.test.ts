import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { berthVsix } from '../runner/package-extension';
import { berth } from './cleanup';
import { launch, pictureFailure, type Session } from './support/launch';
import { changeUserSettings } from './support/settings';

const slow = 90_000;
const run = promisify(execFile);

describe('volumes of other tools', function () {
  this.timeout(240_000);
  const tag = randomBytes(3).toString('hex');
  const own = `uio-own-${tag}`;
  const foreign = `uio-theirs-${tag}`;
  let session: Session;
  let folder: string;

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'berth-ui-'));
    await run('docker', ['volume', 'create', foreign]);
    session = await launch({ vsix: await berthVsix(), folder });
    await session.workbench.openSideBar('Berth');
    await session.workbench.page.getByText('A workspace is a named computer').waitFor({ timeout: slow });
    await berth(session, 'volume', 'create', own);
  });

  afterEach(function () {
    return pictureFailure(session, this.currentTest);
  });

  after(async () => {
    await berth(session, 'volume', 'delete', own, '--yes');
    await run('docker', ['volume', 'rm', foreign]);
    await session.stop();
    await rm(folder, { recursive: true });
  });

  const row = (label: string) => session.workbench.tree('Volumes').row(label);

  it('are in a group of their own, and go whole by a setting', async () => {
    await row(own).waitFor('visible', slow);
    const theirs = session.workbench.tree('Volumes').rows.filter({ hasText: 'Other tools' });
    await theirs.waitFor({ timeout: slow });
    await session.workbench.screenshot('volumes-foreign-shown');
    await changeUserSettings(session, { 'berth.volumes.showForeign': false });
    await session.workbench.page.reload();
    await row(own).waitFor('visible', slow);
    await theirs.waitFor({ state: 'hidden', timeout: slow });
    await row(foreign).waitFor('hidden');
    await session.workbench.screenshot('volumes-foreign-hidden');
  });

  it('come back with it', async () => {
    await changeUserSettings(session, { 'berth.volumes.showForeign': true });
    await session.workbench.page.reload();
    const theirs = session.workbench.tree('Volumes').row('Other tools');
    await theirs.expand();
    await row(foreign).waitFor('visible', slow);
    assert.match(await row(foreign).spoken(), new RegExp(foreign));
  });
});
