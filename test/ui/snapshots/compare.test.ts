/** A volume compared with its snapshot: each change in the diff editor, and one file taken back. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { berth } from '../cleanup';
import { eventually } from '../support/eventually';
import { useSession } from '../use-session';

const slow = 90_000;

describe('comparing snapshots', function () {
  this.timeout(240_000);
  const data = `uicompare-${randomBytes(3).toString('hex')}`;
  const ui = useSession({ volumes: [data] });

  const put = async (name: string, content: string): Promise<void> => {
    await writeFile(join(ui.folder, name), content);
    await berth(ui.session, 'cp', '--force', join(ui.folder, name), `volume:${data}:/${name}`);
  };
  const row = () => ui.workbench.tree('Volumes').row(data);
  const changes = async (wanted: string[]): Promise<void> => {
    const { quickInput } = ui.workbench;
    await quickInput.waitForTitle('↔');
    // A row that was one of the list before keeps its second line, unseen.
    await eventually(
      'the changes',
      async () =>
        assert.deepEqual(
          (await quickInput.labels()).filter((label) => label.startsWith('/')),
          wanted,
        ),
      slow,
    );
  };
  const compareWithNow = async (wanted: string[]): Promise<void> => {
    await row().contextMenu('Compare Snapshot with Now…');
    await ui.workbench.quickInput.pick('first');
    await changes(wanted);
  };

  before(async () => {
    await berth(ui.session, 'volume', 'create', data, '--kind', 'disk', '--size', '32m');
    await put('changed', 'line one\nline two\n');
    await put('gone', 'was here\n');
    await berth(ui.session, 'snapshot', 'create', data, '--name', 'first');
    await put('changed', 'line one\nline 2\n');
    await put('new', 'just made\n');
    await berth(ui.session, 'rm', `volume:${data}:/gone`);
  });

  it('lists what has changed since, and opens it in the diff editor', async () => {
    const { workbench } = ui;
    await row().waitFor('visible', slow);
    await compareWithNow(['/changed', '/gone', '/new']);
    await workbench.screenshot('snapshot-changes');
    await workbench.quickInput.pick('/changed');
    const diff = workbench.page.locator('.monaco-diff-editor');
    await diff.first().waitFor({ timeout: slow });
    await eventually('both sides', async () => {
      const text = (await diff.first().innerText()).replace(/\u00a0/g, ' ');
      assert.ok(text.includes('line two') && text.includes('line 2'), text);
    });
    await workbench.screenshot('snapshot-diff');
    await workbench.editor.closeAll();
  });

  it('opens what is on one side only against nothing', async () => {
    const { workbench } = ui;
    await compareWithNow(['/changed', '/gone', '/new']);
    await workbench.quickInput.pick('/gone');
    const editor = workbench.page.locator(
      '.multiDiffEntry, .multi-diff-root-floating-menu, .multiDiffEditor',
    );
    await editor.first().waitFor({ timeout: slow });
    await eventually('what it was', async () => {
      const text = await workbench.page.locator('.editor-instance').first().innerText();
      assert.ok(text.replace(/\u00a0/g, ' ').includes('was here'), text);
    });
    await workbench.screenshot('snapshot-diff-gone');
    await workbench.editor.closeAll();
  });

  it('takes one file back, and keeps what was there as a snapshot first', async () => {
    const { workbench } = ui;
    await compareWithNow(['/changed', '/gone', '/new']);
    const changed = workbench.quickInput.rows.filter({ hasText: '/changed' }).first();
    await changed.hover();
    await changed.getByRole('button', { name: 'Restore This File or Folder' }).click();
    assert.match(await workbench.dialog.text(), /The volume is kept as a snapshot first\./);
    await workbench.dialog.press('Restore');
    await workbench.notifications.waitFor('/changed is as it was', slow);
    assert.equal(await berth(ui.session, 'cat', `volume:${data}:/changed`), 'line one\nline two\n');
    const [kept] = JSON.parse(await berth(ui.session, 'snapshot', 'list', data, '--json')) as {
      id: string;
    }[];
    const before = await berth(ui.session, 'cat', `snapshot:${kept?.id}:/changed`);
    assert.equal(before, 'line one\nline 2\n');
  });

  it('compares two snapshots, the older one first', async () => {
    const { workbench } = ui;
    await row().contextMenu('Compare Snapshot with Another…');
    const labels = await workbench.quickInput.labels();
    const newest = labels.find((label) => label !== 'first') ?? '';
    await workbench.quickInput.pick(newest);
    await eventually('the second question', async () =>
      assert.match(
        (await workbench.quickInput.box.getAttribute('placeholder')) ?? '',
        /^Snapshot to compare/,
      ),
    );
    await workbench.quickInput.pick('first');
    await changes(['/changed', '/gone', '/new']);
    assert.match(await workbench.quickInput.title(), /^first ↔ /);
    await workbench.quickInput.cancel();
  });
});
