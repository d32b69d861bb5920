import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { berth } from './cleanup';
import { eventually } from './support/eventually';
import { useSession } from './use-session';

const slow = 90_000;
/** One page of a folder, and some more. */
const manyFiles = 1_005;

describe('the rows below a workspace', function () {
  this.timeout(240_000);
  const tag = randomBytes(3).toString('hex');
  const name = `uir-${tag}`;
  const waiting = `uiw-${tag}`;
  /** Takes requests, and answers none. */
  const registry = createServer(() => undefined);

  const ui = useSession({ workspaces: [name, waiting], prepare: () => ({}) });

  before(async () => {
    await once(registry.listen(0, '127.0.0.1'), 'listening');
    const { workbench } = ui;
    await workbench.page.context().grantPermissions(['clipboard-read', 'clipboard-write']);
    await berth(ui.session, 'create', name, '--publish', '8000');
    await row(name).waitForDescription(/^:2\d{3}/, slow);
    await row(name).expand();
  });

  after(() => {
    registry.close();
    registry.closeAllConnections();
  });

  const row = (label: string) => ui.workbench.tree('Workspaces').row(label);
  const clipboard = () => ui.workbench.page.evaluate<string>('navigator.clipboard.readText()');
  const copied = (pattern: RegExp) =>
    eventually('what was copied', async () => assert.match(await clipboard(), pattern));

  it('copy the SSH command by the button of its row', async () => {
    const { sshPort } = JSON.parse(await berth(ui.session, 'info', name, '--json')) as { sshPort: number };
    const ssh = row(`SSH port ${sshPort}`);
    await ssh.click();
    await ssh.inlineAction('Copy Workspace SSH Command');
    await copied(/^ssh /);
  });

  it('open a published port in the browser, and copy its address', async () => {
    const port = row('Port 8000');
    await port.click();
    const address = await port.description();
    const number = address.split(':').at(-1) ?? assert.fail(address);
    await port.inlineAction('Copy Address of Port');
    // In a browser, VS Code gives ports of the machine an address of its own server.
    await copied(new RegExp(`^[^/]+/proxy/${number}/$`));
    const opened = ui.workbench.page.waitForEvent('popup', { timeout: slow });
    await port.inlineAction('Open Port in Browser');
    const window = await opened;
    assert.ok(window.url() === 'about:blank' || window.url().includes(number), window.url());
    await window.close();
  });

  it('offer by a button what a problem takes to end', async () => {
    const { quickInput } = ui.workbench;
    await berth(ui.session, 'port', 'add', name, '8001');
    const problem = row('Takes effect with the next rebuild: ports.');
    await problem.waitFor('visible', slow);
    await problem.click();
    await problem.inlineAction('Rebuild Workspace from Image…');
    await eventually('the images', async () =>
      assert.ok((await quickInput.labels()).includes('workspace:latest')),
    );
    await quickInput.cancel();
  });

  it('have snapshots made by themselves, and undo that', async () => {
    const { workbench } = ui;
    await row(name).contextMenu('Set Automatic Snapshots of Workspace…', 'Forks and Snapshots');
    await workbench.quickInput.pick('every hour, at each stop');
    const done = `${name} makes snapshots by itself: every hour, at each stop.`;
    await workbench.notifications.waitFor(done, slow);
    assert.match(await berth(ui.session, 'snapshot', 'auto', name), /every 1 h, at each stop/);
    await workbench.notifications.press(done, 'Undo');
    await eventually('none', async () =>
      assert.match(await berth(ui.session, 'snapshot', 'auto', name), /makes no snapshots by itself/),
    );
  });

  it('show the rest of a long folder by Load more', async () => {
    const { page } = ui.workbench;
    const make = `mkdir ~/many && cd ~/many && touch $(seq -f f%05g 1 ${manyFiles})`;
    await berth(ui.session, 'exec', name, '--', 'sh', '-c', make);
    const tree = ui.workbench.tree('Volumes');
    await tree.row(name).expand();
    // Opens it, and gives it the keys.
    await tree.row('many').click();
    await tree.row('f00001').waitFor();
    // Below the files may be volumes of others.
    await page.keyboard.press('End');
    await (await tree.scrollUpTo('Load more…')).click();
    await tree.row('Load more…').waitFor('hidden');
    await page.keyboard.press('End');
    await tree.scrollUpTo(`f0${manyFiles}`);
  });

  it('cancel what is under way by the button of its row', async () => {
    const { port } = registry.address() as AddressInfo;
    const created = berth(ui.session, 'create', waiting, '--image', `127.0.0.1:${port}/nothing:1`);
    const ended = created.then(
      () => 'created',
      () => 'cancelled',
    );
    const busy = ui.workbench
      .tree('Workspaces')
      .rows.filter({ has: ui.workbench.page.locator('.action-label[aria-label^="Cancel Operation"]') });
    await row(waiting).waitFor('visible', slow);
    await row(waiting).expand();
    await busy.first().hover({ timeout: slow });
    await busy
      .first()
      .getByRole('button', { name: /^Cancel Operation/ })
      .click();
    assert.equal(await ended, 'cancelled');
  });
});
