import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { berth } from '../cleanup';
import { eventually } from '../support/eventually';
import { useSession } from '../use-session';

const slow = 90_000;

describe('tags, favourites, protection and the filter of workspaces', function () {
  this.timeout(240_000);
  const tag = randomBytes(3).toString('hex');
  const api = `uim-api-${tag}`;
  const web = `uim-web-${tag}`;

  // Before all else is taken away: what is protected stays.
  after(async () => {
    await berth(ui.session, 'unprotect', api).catch(() => undefined);
  });

  const ui = useSession({ workspaces: [api, web] });

  before(async () => {
    await berth(ui.session, 'create', api, '--no-start');
    await berth(ui.session, 'create', web, '--no-start', '--tag', 'work');
    await row(web).waitFor('visible', slow);
  });

  const row = (label: string) => ui.workbench.tree('Workspaces').row(label);
  const says = (label: string, pattern: RegExp) =>
    eventually(
      `${label} to say ${String(pattern)}`,
      async () => assert.match(await row(label).spoken(), pattern),
      slow,
    );

  it('protects by the menu of the row, which then offers no delete, and takes that away', async () => {
    await row(api).contextMenu('Protect Workspace');
    await says(api, /protected/);
    await assert.rejects(berth(ui.session, 'delete', api, '--yes'), /is protected: it can't be deleted now/);
    await row(api).contextMenu('Unprotect Workspace');
    await eventually(
      'no protection',
      async () => assert.doesNotMatch(await row(api).spoken(), /protected/),
      slow,
    );
    await row(api).contextMenu('Protect Workspace');
    await says(api, /protected/);
  });

  it('shows a favourite before the others', async () => {
    await row(web).contextMenu('Add Workspace to Favourites');
    await says(web, /favourite/);
    await eventually('it to be above', async () => {
      const labels = await ui.workbench.tree('Workspaces').labels();
      assert.ok(labels.indexOf(web) < labels.indexOf(api), labels.join());
    });
  });

  it('is filtered by tag and by name, says so, and shows all again', async () => {
    const { quickInput } = ui.workbench;
    await row(api).contextMenu('Edit Workspace Tags…');
    await quickInput.waitForTitle(`Tags of ${api}`);
    await quickInput.enter('db old');
    await eventually('the tags', async () => assert.equal(await berth(ui.session, 'tag', api), 'db\nold\n'));
    await ui.workbench.run('Berth: Filter Workspaces…');
    await quickInput.pick('db');
    await row(web).waitFor('hidden', slow);
    await ui.workbench.page.getByText('Filter: tag db. 1 of 2 shown.').waitFor({ timeout: slow });
    await ui.workbench.screenshot('filtered-workspaces');
    await ui.workbench.run('Berth: Clear Workspace Filter');
    await row(web).waitFor('visible', slow);
    await ui.workbench.screenshot('marked-workspaces');
  });

  it('are listed by name for who opens one again, the last used one first, with when', async () => {
    const { workbench } = ui;
    const { quickInput, page } = workbench;
    await workbench.run('Berth: Open Recent Workspace…');
    assert.deepEqual(await quickInput.labels(), [web, api]);
    assert.match(await quickInput.rows.first().innerText(), /used .*\d/);
    await workbench.screenshot('recent-workspaces');
    await quickInput.pick(api);
    await workbench.notifications.waitFor(/Remote-SSH of your own machine/);
    await page.keyboard.press('Escape');
  });
});
