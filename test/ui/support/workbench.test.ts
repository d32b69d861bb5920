import assert from 'node:assert/strict';
import { access, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { packageExtension } from '../../runner/package-extension';
import { ROOT } from '../../runner/setup';
import { eventually } from './eventually';
import { launch, pictureFailure, type Session } from './launch';

interface Entry {
  event: string;
  [key: string]: unknown;
}

describe('the words of the ui tests, spoken to an extension that writes down what it sees', function () {
  this.timeout(60_000);
  let directory: string;
  let session: Session;

  before(async () => {
    directory = await mkdtemp(join(tmpdir(), 'berth-ui-'));
    await mkdir(join(directory, 'folder', 'deep'), { recursive: true });
    await writeFile(join(directory, 'folder', 'deep', 'inner.txt'), 'inner');
    await writeFile(join(directory, 'hello.txt'), 'hello\n');
    const vsix = join(directory, 'dummy.vsix');
    await packageExtension(join(ROOT, 'test/runner/fixtures/dummy'), vsix);
    session = await launch({
      vsix,
      env: { DUMMY_LOG: join(directory, 'log') },
      folder: directory,
    });
    await session.workbench.openSideBar('Dummy');
  });

  afterEach(function () {
    return pictureFailure(session, this.currentTest);
  });

  after(async () => {
    await session.stop();
    await rm(directory, { recursive: true });
    await assert.rejects(access(session.vscode.directory));
  });

  const log = async (): Promise<Entry[]> => {
    const text = await readFile(join(directory, 'log'), 'utf8').catch(() => '');
    return text
      .split('\n')
      .filter(Boolean)
      .map((line) => JSON.parse(line) as Entry);
  };
  /** The latest entry, once there are more than `count`. */
  const nextEntry = (count: number): Promise<Entry> =>
    eventually('an entry in the log', async () => {
      const entries = await log();
      assert.ok(entries.length > count);
      return entries.at(-1)!;
    });
  const dropped = async (drop: () => Promise<void>): Promise<Entry> => {
    const { length } = await log();
    await drop();
    return nextEntry(length);
  };
  const things = () => session.workbench.tree('Things');

  it('reads and opens a tree', async () => {
    await things().row('docs').waitFor();
    assert.deepEqual(await things().labels(), ['docs', 'src', 'notes.txt']);
    await things().expand('docs');
    await things().row('a.md').waitFor();
  });

  it('presses inline actions, menu items and the buttons of notifications', async () => {
    const { notifications } = session.workbench;
    await things().row('notes.txt').inlineAction('Poke');
    await notifications.waitFor('poked notes.txt');
    await notifications.press('poked notes.txt', 'Fine');
    await things().row('src').contextMenu('Poke');
    await notifications.press('poked src', 'Fine');
  });

  it('goes through a command that asks, and presses a button of its dialog', async () => {
    const { quickInput, dialog } = session.workbench;
    await session.workbench.run('Dummy: Ask');
    await quickInput.waitForTitle('Name');
    await quickInput.box.fill('bad');
    await eventually('the message', async () => assert.match(await quickInput.message(), /not bad/));
    await quickInput.enter('good');
    await quickInput.waitForTitle('Size');
    assert.deepEqual(await quickInput.labels(), ['small', 'large']);
    await quickInput.pick('large');
    assert.equal(await dialog.text(), 'Make good?\nIt is large.');
    const { length } = await log();
    await dialog.press('Make');
    assert.deepEqual(await nextEntry(length), { event: 'ask', name: 'good', size: 'large', answer: 'Make' });
  });

  it('drops files and a folder of the file manager, as a browser gives them', async () => {
    const paths = [join(directory, 'hello.txt'), join(directory, 'folder')];
    const entry = await dropped(() =>
      things()
        .row('docs')
        .dropFromFileManager(...paths),
    );
    assert.equal(entry.target, 'docs');
    const [file, folder] = entry.items as {
      mime: string;
      file: { name: string; start?: string; error?: string };
    }[];
    assert.deepEqual([file?.mime, file?.file.name, file?.file.start], ['text/plain', 'hello.txt', 'hello\n']);
    assert.deepEqual([folder?.mime, folder?.file.name], ['', 'folder']);
    assert.match(folder?.file.error ?? '', /NotFoundError/);
  });

  it('drops paths, as the desktop gives them, and files from memory', async () => {
    const folder = join(directory, 'folder');
    const paths = await dropped(() => things().row('src').dropPaths(folder));
    assert.deepEqual(paths.items, [{ mime: 'text/uri-list', text: `file://${folder}` }]);
    const memory = await dropped(() =>
      things().row('src').dropFromMemory({ name: 'm.txt', content: 'from memory' }),
    );
    assert.match(JSON.stringify(memory.items), /m\.txt.*from memory/);
  });

  it('drags a row to a row', async () => {
    const entry = await dropped(() => things().row('notes.txt').dragTo(things().row('src')));
    assert.equal(entry.target, 'src');
    assert.match(JSON.stringify(entry.items), /vnd\.code\.tree\.dummy\.tree.*file:\/\/\/dummy\/notes\.txt/);
  });

  it('drags from the Explorer to a view in another container', async () => {
    const { workbench } = session;
    await workbench.openSideBar('Explorer');
    const entry = await dropped(() =>
      workbench.dragAcross(workbench.explorer().row('folder'), 'Dummy', things().row('src')),
    );
    assert.deepEqual(
      [entry.target, entry.items],
      ['src', [{ mime: 'text/uri-list', text: `file://${directory}/folder` }]],
    );
  });

  it('opens a file, types and saves', async () => {
    const { workbench } = session;
    await workbench.openSideBar('Explorer');
    await workbench.explorer().row('hello.txt').doubleClick();
    await workbench.editor.waitForTab('hello.txt');
    await workbench.editor.waitForText('hello');
    await workbench.editor.append('and more');
    await workbench.editor.save('hello.txt');
    const saved = () => readFile(join(directory, 'hello.txt'), 'utf8');
    await eventually('the file', async () => assert.equal(await saved(), 'hello\nand more'));
  });

  it('types into a terminal', async () => {
    const { workbench } = session;
    await workbench.run('Terminal: Create New Terminal');
    await workbench.terminal.type('echo $((6 * 7))-done');
    await workbench.terminal.waitForText('42-done');
  });

  it('takes a picture', async () => {
    const path = await session.workbench.screenshot('words');
    assert.equal((await readFile(path)).subarray(1, 4).toString(), 'PNG');
  });
});
