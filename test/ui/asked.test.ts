import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { berth } from './cleanup';
import { eventually } from './support/eventually';
import { useSession } from './use-session';

const slow = 90_000;

/** Where the row ends, and where these words of its description do. */
const endsOf = (index: number, words: string) => `(() => {
  const row = document.querySelectorAll('.sidebar .monaco-list-row')[${index}];
  const walker = document.createTreeWalker(row.querySelector('.label-description'), NodeFilter.SHOW_TEXT);
  const text = walker.nextNode();
  const range = document.createRange();
  range.setStart(text, 0);
  range.setEnd(text, ${words.length});
  return [row.getBoundingClientRect().right, range.getBoundingClientRect().right];
})()`;

interface Info {
  state: string;
  sshPort: number;
  spec: {
    mounts?: { source: string; target: string; readOnly: boolean }[];
    network?: string;
    idle?: { pauseAfter?: number; stopAfter?: number };
  };
}

describe('what is asked and said on the way', function () {
  this.timeout(180_000);
  const tag = randomBytes(3).toString('hex');
  const [name, other, volume] = [`uiq-${tag}`, `else-${tag}`, `uiqdata-${tag}`];

  const ui = useSession({ workspaces: [name, other], volumes: [volume] });

  const row = (label: string) => ui.workbench.tree('Workspaces').row(label);
  const inVolumes = (label: string) => ui.workbench.tree('Volumes').row(label);
  const indexOf = async (label: string) => {
    const labels = await ui.workbench.page.locator('.sidebar .monaco-list-row').allInnerTexts();
    return labels.findIndex((text) => text.includes(label));
  };
  const info = async () => JSON.parse(await berth(ui.session, 'info', name, '--json')) as Info;

  it('More… of the wizard sets ports, volumes, network and what happens when idle', async () => {
    const { workbench } = ui;
    const { quickInput, page } = workbench;
    await workbench.run('Berth: Create Workspace…');
    await quickInput.waitForTitle('(1/');
    await quickInput.enter(name);
    for (const step of ['(2/', '(3/', '(4/', '(5/', '(6/']) {
      await quickInput.waitForTitle(step);
      await page.keyboard.press('Enter');
    }
    const set = async (what: string, answer: () => Promise<void>): Promise<void> => {
      await quickInput.waitForTitle('(7/7');
      await quickInput.pick('More…');
      await quickInput.waitForTitle('(7/8');
      await quickInput.pick(what);
      await answer();
    };
    /** The box of the step before has rows below it. */
    const type = (text: string) => async () => {
      await quickInput.rows.first().waitFor({ state: 'hidden' });
      await quickInput.enter(text);
    };
    await set('Ports', async () => {
      await quickInput.rows.first().waitFor({ state: 'hidden' });
      await quickInput.box.fill('70000');
      await eventually('the message', async () => assert.match(await quickInput.message(), /at most 65535/));
      await quickInput.enter('8080');
    });
    await set('Volumes', type(`${volume}:/mnt/data:ro`));
    await quickInput.waitForTitle('(7/7');
    const more = quickInput.rows.filter({ hasText: 'More…' });
    assert.match(await more.innerText(), /ports 8080 · .*:\/mnt\/data:ro/);
    await set('Network', () => quickInput.pick('off'));
    await set('When idle', async () => {
      const labels = await quickInput.labels();
      assert.equal(labels[0], 'as the settings say');
      await quickInput.pick(labels[1] ?? assert.fail('there is one choice only'));
    });
    await quickInput.waitForTitle('(7/7');
    // A container without a network has no ports to publish.
    const words = await more.innerText();
    assert.match(words, /:\/mnt\/data:ro · network off · .*after/);
    assert.doesNotMatch(words, /ports 8080/);
    await workbench.screenshot('wizard-more-all');
    await set('Ports', async () => {
      await quickInput.rows.first().waitFor({ state: 'hidden' });
      await quickInput.box.fill('8080');
      await eventually('the reason', async () => assert.match(await quickInput.message(), /network is off/));
      await quickInput.enter('');
    });
    await quickInput.waitForTitle('(7/7');
    await page.keyboard.press('Enter');
    await row(name).waitForDescription(/^:2\d{3}/, slow);
    const { spec } = await info();
    assert.equal(spec.network, 'off');
    const [mount] = spec.mounts ?? [];
    assert.deepEqual([mount?.source, mount?.target, mount?.readOnly], [volume, '/mnt/data', true]);
    assert.ok(spec.idle?.pauseAfter ?? spec.idle?.stopAfter);
  });

  it('the row of the SSH port has a menu', async () => {
    const { page } = ui.workbench;
    await row(name).expand();
    const ssh = row(`SSH port ${(await info()).sshPort}`);
    await ssh.waitFor('visible', slow);
    const labels = await ssh.menuEntries('Copy Workspace SSH Command');
    for (const each of ['Open Workspace', 'Open Workspace Terminal', 'Copy Workspace SSH Command']) {
      assert.ok(labels.includes(each), labels.join());
    }
    await ui.workbench.screenshot('ssh-menu');
    await page.keyboard.press('Escape');
  });

  it('workspaces are filtered by a part of their name', async () => {
    const { workbench } = ui;
    await berth(ui.session, 'create', other, '--no-start');
    await row(other).waitFor('visible', slow);
    await workbench.run('Berth: Filter Workspaces…');
    await workbench.quickInput.box.fill('ELSE');
    await workbench.quickInput.pick('Name contains “ELSE”');
    await row(name).waitFor('hidden', slow);
    await row(other).waitFor('visible');
    await workbench.run('Berth: Clear Workspace Filter');
    await row(name).waitFor('visible', slow);
  });

  it('a folder is deleted after a dialog that says how much goes', async () => {
    const { workbench } = ui;
    await berth(ui.session, 'mkdir', `volume:${volume}:/site`);
    for (const file of ['a.txt', 'b.txt']) {
      await writeFile(join(ui.folder, file), 'x'.repeat(1024));
      await berth(ui.session, 'cp', join(ui.folder, file), `volume:${volume}:/site/${file}`);
    }
    await inVolumes(volume).expand();
    await inVolumes('site').contextMenu('Delete File or Folder');
    const words = await workbench.dialog.text();
    assert.match(words, /^Delete the folder site and all that is in it\?/);
    assert.match(words, new RegExp(`${volume}:/site \\(2 files, 2\\.0 KiB\\)`));
    await workbench.screenshot('delete-folder');
    await workbench.page.keyboard.press('Escape');
  });

  it('what is in the way of an upload is shown with size and time of both sides', async () => {
    const { workbench } = ui;
    await writeFile(join(ui.folder, 'a.txt'), 'newer and longer'.repeat(200));
    await inVolumes('site').dropPaths(join(ui.folder, 'a.txt'));
    const words = await workbench.dialog.text();
    assert.match(words, new RegExp(`^${volume}:/site/a\\.txt is there already\\.`));
    assert.match(words, /There: 1\.0 KiB, .*\d:\d\d/);
    assert.match(words, /New: 3\.1 KiB, .*\d:\d\d.* \(newer\)/);
    await workbench.screenshot('conflict-sides');
    await workbench.dialog.press('Skip');
    assert.equal((await berth(ui.session, 'cat', `volume:${volume}:/site/a.txt`)).length, 1024);
  });

  it('paused and archived ones say so in a side bar of 200 pixels', async () => {
    const { workbench } = ui;
    await berth(ui.session, 'pause', name);
    await row(other).contextMenu('Archive Workspace');
    await row(other).waitForDescription(/^archived/, slow);
    await row(name).waitForDescription(/^paused/, slow);
    await workbench.resizeSideBar(200);
    await workbench.page.mouse.move(900, 560);
    for (const [label, state] of [
      [name, 'paused'],
      [other, 'archived'],
    ] as const) {
      const index = await indexOf(label);
      const ends = await workbench.page.evaluate<[number, number]>(endsOf(index, state));
      const room = ends[0] - ends[1];
      assert.ok(room > 0, `${state} of ${label} is cut off by ${-room} pixels`);
    }
    await workbench.screenshot('narrow-paused-archived');
    await workbench.resizeSideBar(300);
  });
});
