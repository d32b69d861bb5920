import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { berth } from './cleanup';
import { eventually } from './support/eventually';
import { useSession } from './use-session';

const slow = 60_000;

// After a drop by the browser's own hand, Chromium swallows the next drag of the mouse: those with the mouse come first.
describe('the files of a volume, running and stopped', function () {
  this.timeout(120_000);
  const name = `uif-${randomBytes(3).toString('hex')}`;

  const ui = useSession({
    workspaces: [name],
    prepare: async (folder) => {
      await writeFile(join(folder, 'local.txt'), 'from the explorer\n');
      await writeFile(join(folder, 'dragged.txt'), 'dragged\n');
      await mkdir(join(folder, 'photos', 'deep'), { recursive: true });
      await writeFile(join(folder, 'photos', 'one.txt'), '1');
      await writeFile(join(folder, 'photos', 'deep', 'two.txt'), '22');
      return { folder };
    },
  });

  before(async () => {
    await berth(ui.session, 'create', name);
    // Nobody refreshes: the event of the other client does.
    await ui.workbench.tree('Volumes').row(name).waitFor('visible', slow);
  });

  /** A tree that draws its rows anew, as an Explorer that just opened or volumes of others that come and go, loses a drag or drop. */
  const patiently = async (drag: () => Promise<void>): Promise<void> => {
    const { page } = ui.workbench;
    for (let attempt = 1; ; attempt++) {
      await page.waitForTimeout(2_000);
      try {
        await drag();
        return;
      } catch (error) {
        await page.mouse.up();
        if (attempt === 3) {
          throw error;
        }
      }
    }
  };

  const tree = () => ui.workbench.tree('Volumes');
  const inside = (path: string): Promise<string> =>
    berth(ui.session, 'exec', name, '--', 'cat', `/home/workspace/${path}`);
  const exec = (...argv: string[]): Promise<string> => berth(ui.session, 'exec', name, '--', ...argv);

  it('opens and saves a file of a running workspace', async () => {
    const { workbench } = ui;
    await exec('sh', '-c', 'mkdir -p ~/src && echo "print(1)" > ~/src/hello.py');
    await tree().expand(name, 'src');
    await tree().row('hello.py').doubleClick();
    await workbench.editor.waitForTab('hello.py');
    await workbench.editor.waitForText('print(1)');
    await workbench.editor.append('print(2)\n');
    await workbench.editor.save('hello.py');
    await eventually('the file inside', async () =>
      assert.equal(await inside('src/hello.py'), 'print(1)\nprint(2)\n'),
    );
    await workbench.screenshot('edit-running');
  });

  it('shows by itself what is made inside', async () => {
    await exec('touch', '/home/workspace/src/made-inside.txt');
    await tree().row('made-inside.txt').waitFor();
  });

  it('takes a file dragged from the Explorer', async () => {
    const { workbench } = ui;
    await exec('mkdir', '/home/workspace/src/sub');
    await tree().row('sub').waitFor();
    await workbench.openSideBar('Explorer');
    const source = workbench.explorer().row('dragged.txt');
    await source.waitFor();
    await patiently(() => workbench.dragAcross(source, 'Berth', tree().row('src')));
    await tree().row('dragged.txt').waitFor();
    await eventually('the content inside', async () =>
      assert.equal(await inside('src/dragged.txt'), 'dragged\n'),
    );
  });

  it('moves inside a volume, and takes it back', async () => {
    const { workbench } = ui;
    await tree().row('dragged.txt').dragTo(tree().row('sub'));
    await workbench.notifications.waitFor('Moved 1 file');
    await eventually('the move', async () => assert.equal(await inside('src/sub/dragged.txt'), 'dragged\n'));
    await workbench.notifications.press('Moved 1 file', 'Undo');
    await eventually('the move back', async () => assert.equal(await inside('src/dragged.txt'), 'dragged\n'));
  });

  it('opens a row dragged to the editors', async () => {
    const { workbench } = ui;
    await workbench.editor.closeAll();
    await patiently(async () => {
      await tree().row('dragged.txt').dragTo(workbench.page.locator('.editor-group-container').first());
      await workbench.editor.waitForTab('dragged.txt', 10_000);
    });
    await workbench.editor.waitForText('dragged');
  });

  it('makes, renames and deletes files from the menu', async () => {
    const { workbench } = ui;
    await workbench.quickInput.enterAfter(() => tree().row('src').contextMenu('New File…'), 'notes.md');
    await workbench.editor.waitForTab('notes.md');
    await workbench.quickInput.enterAfter(
      () => tree().row('notes.md').contextMenu('Rename File or Folder…'),
      'renamed.md',
    );
    await tree().row('renamed.md').waitFor();
    await tree().row('renamed.md').contextMenu('Delete File or Folder');
    assert.match(await workbench.dialog.text(), /Delete renamed\.md\?[\s\S]*cannot be undone/);
    await workbench.dialog.press('Delete');
    await tree().row('renamed.md').waitFor('hidden');
  });

  it('takes a drop on the row of the workspace into its home', async () => {
    const { workbench } = ui;
    await workbench.tree('Workspaces').row(name).dropFromMemory({ name: 'home.txt', content: 'home\n' });
    await eventually('the content inside', async () => assert.equal(await inside('home.txt'), 'home\n'));
    await workbench.screenshot('overview');
  });

  it('takes a folder dropped with its path, as a desktop gives it', async () => {
    await patiently(async () => {
      await tree().row('src').dropPaths(join(ui.folder, 'photos'));
      await tree().row('photos').waitFor('visible', 10_000);
    });
    await tree().expand('photos', 'deep');
    await tree().row('two.txt').waitFor();
    assert.equal(await inside('src/photos/deep/two.txt'), '22');
    await ui.workbench.screenshot('dropped-folder');
  });

  it('takes a file dropped from the file manager', async () => {
    const file = join(ui.folder, 'local.txt');
    await tree().row('src').dropFromFileManager(file);
    await tree().row('local.txt').waitFor();
    await eventually('the content inside', async () =>
      assert.equal(await inside('src/local.txt'), 'from the explorer\n'),
    );
  });

  it('asks once when files are there already, and keeps both', async () => {
    const { workbench } = ui;
    await tree().row('src').dropFromFileManager(join(ui.folder, 'local.txt'));
    const text = await workbench.dialog.text();
    assert.match(text, /is there already/);
    assert.match(text, /There: 18 B, .*\d/);
    assert.match(text, /New: 18 B, time unknown/);
    await workbench.screenshot('conflict');
    await workbench.screenshot('conflict');
    await workbench.dialog.press('Keep Both');
    await tree().row('local (2).txt').waitFor();
  });

  it('says so when a browser hands over nothing of a folder', async () => {
    const { notifications } = ui.workbench;
    await tree().row('src').dropFromFileManager(join(ui.folder, 'photos'));
    // The folder of that name is there from before: what a browser gives is a file of that name.
    const { dialog } = ui.workbench;
    await eventually('an answer', async () => {
      if (await dialog.box.isVisible()) {
        await dialog.press('Keep Both');
      }
      assert.ok((await notifications.all()).some((text) => text.includes('Nothing was uploaded')));
    });
  });

  it('opens and saves a file of the stopped volume, and the workspace finds it when it starts', async () => {
    const { workbench } = ui;
    await workbench.editor.closeAll();
    await berth(ui.session, 'stop', name);
    await eventually(
      'the volume to be free',
      async () => {
        assert.doesNotMatch(await tree().row(name).description(), /in use/);
      },
      slow,
    );
    await tree().row('hello.py').doubleClick();
    await workbench.editor.waitForTab('hello.py');
    await workbench.editor.append('print(3)\n');
    await workbench.editor.save('hello.py');
    await workbench.screenshot('edit-stopped');
    await berth(ui.session, 'start', name);
    assert.equal(await inside('src/hello.py'), 'print(1)\nprint(2)\nprint(3)\n');
  });
});
