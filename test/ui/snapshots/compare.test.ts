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
  const tree = () => ui.workbench.tree('Changes');
  const changes = (wanted: [label: string, mark: string][]): Promise<void> =>
    eventually(
      'the changes',
      async () => {
        const labels = await tree().labels();
        const marks = await Promise.all(labels.map((label) => tree().row(label).mark()));
        assert.deepEqual(
          labels.map((label, at) => [label, marks[at]]),
          wanted,
        );
      },
      slow,
    );
  const sinceFirst: [string, string][] = [
    ['changed', 'M'],
    ['gone', 'D'],
    ['new', 'A'],
  ];

  before(async () => {
    await berth(ui.session, 'volume', 'create', data, '--kind', 'disk', '--size', '32m');
    await put('changed', 'line one\nline two\n');
    await put('gone', 'was here\n');
    await berth(ui.session, 'snapshot', 'create', data, '--name', 'first');
    await put('changed', 'line one\nline 2\n');
    await put('new', 'just made\n');
    await berth(ui.session, 'rm', `volume:${data}:/gone`);
  });

  it('shows what has changed since as a tree, and opens it in the diff editor', async () => {
    const { workbench } = ui;
    await row().waitFor('visible', slow);
    await row().contextMenu('Compare Snapshot with Now…');
    await workbench.quickInput.pick('first');
    await changes(sinceFirst);
    await workbench.screenshot('snapshot-changes');
    await tree().row('changed').click();
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
    await tree().row('gone').click();
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
    await tree().row('changed').inlineAction('Restore from Snapshot…');
    assert.match(await workbench.dialog.text(), new RegExp(`${data} is kept as a snapshot first`));
    await workbench.dialog.press('Take Over');
    await workbench.notifications.waitFor(`1 taken over to ${data}`, slow);
    assert.equal(await berth(ui.session, 'cat', `volume:${data}:/changed`), 'line one\nline two\n');
    const [kept] = JSON.parse(await berth(ui.session, 'snapshot', 'list', data, '--json')) as {
      id: string;
    }[];
    const before = await berth(ui.session, 'cat', `snapshot:${kept?.id}:/changed`);
    assert.equal(before, 'line one\nline 2\n');
    await changes(sinceFirst.slice(1));
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
    // The description of the other one names it.
    await workbench.quickInput.rows.filter({ hasNotText: 'before changes of' }).first().click();
    await changes(sinceFirst);
    await workbench.run('Berth: Clear Changes');
    await tree().row('gone').waitFor('hidden');
  });
});
