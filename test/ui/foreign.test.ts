import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { promisify } from 'node:util';
import { berth } from './cleanup';
import { useSession } from './use-session';
import { changeUserSettings } from './support/settings';

const slow = 90_000;
const run = promisify(execFile);

describe('volumes of other tools', function () {
  this.timeout(240_000);
  const tag = randomBytes(3).toString('hex');
  const own = `uio-own-${tag}`;
  const foreign = `uio-theirs-${tag}`;

  const ui = useSession({ volumes: [own] });

  before(async () => {
    await run('docker', ['volume', 'create', foreign]);
    await berth(ui.session, 'volume', 'create', own);
  });

  after(async () => {
    await run('docker', ['volume', 'rm', foreign]);
  });

  const row = (label: string) => ui.workbench.tree('Volumes').row(label);

  it('are in a group of their own, and go whole by a setting', async () => {
    await row(own).waitFor('visible', slow);
    const theirs = ui.workbench.tree('Volumes').rows.filter({ hasText: 'Other tools' });
    await theirs.waitFor({ timeout: slow });
    await ui.workbench.screenshot('volumes-foreign-shown');
    await changeUserSettings(ui.session, { 'berth.volumes.showForeign': false });
    await ui.workbench.page.reload();
    await row(own).waitFor('visible', slow);
    await theirs.waitFor({ state: 'hidden', timeout: slow });
    await row(foreign).waitFor('hidden');
    await ui.workbench.screenshot('volumes-foreign-hidden');
  });

  it('come back with it', async () => {
    await changeUserSettings(ui.session, { 'berth.volumes.showForeign': true });
    await ui.workbench.page.reload();
    const theirs = ui.workbench.tree('Volumes').row('Other tools');
    await theirs.expand();
    await row(foreign).waitFor('visible', slow);
    assert.match(await row(foreign).spoken(), new RegExp(foreign));
  });
});
