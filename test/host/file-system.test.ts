import assert from 'node:assert/strict';
import * as vscode from 'vscode';
import { eventually, rejectsWith, text, uriOf, withVolume } from './support';

const { fs } = vscode.workspace;
const bytes = (content: string): Uint8Array => Buffer.from(content);

describe('the file system of a volume that nothing holds', function () {
  this.timeout(60_000);

  it('writes, reads, stats and lists', () =>
    withVolume(async (volume) => {
      const before = Date.now() - 5_000;
      await fs.writeFile(uriOf(volume, '/hello.txt'), bytes('hello\n'));
      assert.equal(text(await fs.readFile(uriOf(volume, '/hello.txt'))), 'hello\n');
      const stat = await fs.stat(uriOf(volume, '/hello.txt'));
      assert.equal(stat.type, vscode.FileType.File);
      assert.equal(stat.size, 6);
      assert.ok(stat.mtime > before && stat.mtime <= Date.now() + 5_000, String(stat.mtime));
      assert.equal(stat.permissions, undefined);
      await fs.createDirectory(uriOf(volume, '/folder'));
      const listed = await fs.readDirectory(uriOf(volume, '/'));
      assert.deepEqual(listed.filter(([name]) => name !== 'lost+found').sort(), [
        ['folder', vscode.FileType.Directory],
        ['hello.txt', vscode.FileType.File],
      ]);
      assert.equal((await fs.stat(uriOf(volume, '/'))).type, vscode.FileType.Directory);
    }));

  it('keeps empty files, binary content and odd names', () =>
    withVolume(async (volume) => {
      const binary = Uint8Array.from({ length: 70_000 }, (_, index) => (index * 7) % 256);
      for (const [name, content] of [
        ['empty', new Uint8Array()],
        ['binary', binary],
        ['with space & % # ?.txt', bytes('x')],
        ['ümlaut-日本', bytes('y')],
      ] as const) {
        await fs.writeFile(uriOf(volume, `/${name}`), content);
        assert.deepEqual(
          Buffer.from(await fs.readFile(uriOf(volume, `/${name}`))),
          Buffer.from(content),
          name,
        );
      }
    }));

  it('lets the time of a file advance and its size follow', () =>
    withVolume(async (volume) => {
      const uri = uriOf(volume, '/a');
      await fs.writeFile(uri, bytes('1'));
      const first = await fs.stat(uri);
      await new Promise((resolve) => setTimeout(resolve, 20));
      await fs.writeFile(uri, bytes('22'));
      const second = await fs.stat(uri);
      assert.ok(second.mtime > first.mtime);
      assert.equal(second.size, 2);
    }));

  it('renames, copies trees and deletes recursively', () =>
    withVolume(async (volume) => {
      await fs.createDirectory(uriOf(volume, '/a/b'));
      await fs.writeFile(uriOf(volume, '/a/b/c.txt'), bytes('c'));
      await fs.copy(uriOf(volume, '/a'), uriOf(volume, '/copy'));
      assert.equal(text(await fs.readFile(uriOf(volume, '/copy/b/c.txt'))), 'c');
      await fs.rename(uriOf(volume, '/copy'), uriOf(volume, '/moved'));
      await rejectsWith('FileNotFound', () => fs.stat(uriOf(volume, '/copy')));
      await fs.delete(uriOf(volume, '/moved'), { recursive: true });
      await rejectsWith('FileNotFound', () => fs.stat(uriOf(volume, '/moved/b')));
    }));

  it('says what is wrong in the words of VS Code', () =>
    withVolume(async (volume) => {
      await fs.writeFile(uriOf(volume, '/file'), bytes('x'));
      await fs.createDirectory(uriOf(volume, '/folder'));
      await rejectsWith('FileNotFound', () => fs.stat(uriOf(volume, '/missing')));
      await rejectsWith('FileNotFound', () => fs.readFile(uriOf(volume, '/missing')));
      await rejectsWith('FileNotFound', () => fs.stat(uriOf('no-such-volume-here', '/')));
      await rejectsWith('FileExists', () =>
        fs.rename(uriOf(volume, '/file'), uriOf(volume, '/folder'), { overwrite: false }),
      );
      await fs.writeFile(uriOf(volume, '/folder/inside'), bytes('x'));
      await assert.rejects(async () => fs.delete(uriOf(volume, '/folder'), { recursive: false }));
      assert.equal(text(await fs.readFile(uriOf(volume, '/folder/inside'))), 'x');
    }));

  it('copies and moves between volumes on the side of the engine', () =>
    withVolume((one) =>
      withVolume(async (other) => {
        await fs.createDirectory(uriOf(one, '/tree'));
        await fs.writeFile(uriOf(one, '/tree/leaf'), bytes('leaf'));
        await fs.copy(uriOf(one, '/tree'), uriOf(other, '/copied'));
        assert.equal(text(await fs.readFile(uriOf(other, '/copied/leaf'))), 'leaf');
        await fs.rename(uriOf(one, '/tree'), uriOf(other, '/moved'));
        assert.equal(text(await fs.readFile(uriOf(other, '/moved/leaf'))), 'leaf');
        await rejectsWith('FileNotFound', () => fs.stat(uriOf(one, '/tree')));
      }),
    ));

  it('opens in an editor, saves, and tells the editor of changes made elsewhere', () =>
    withVolume(async (volume, client) => {
      const uri = uriOf(volume, '/edited.txt');
      await fs.writeFile(uri, bytes('one\n'));
      const document = await vscode.workspace.openTextDocument(uri);
      const editor = await vscode.window.showTextDocument(document);
      await editor.edit((edit) => edit.insert(new vscode.Position(1, 0), 'two\n'));
      const isSaved = await document.save();
      const there = await client
        .call('files.list', { params: { volume }, query: { path: '/' } })
        .catch(String);
      assert.ok(isSaved, `not saved; the engine says: ${JSON.stringify(there)}`);
      assert.equal(text(await fs.readFile(uri)), 'one\ntwo\n');
      await client.writeFile(volume, '/edited.txt', Buffer.from('from elsewhere\n'), {
        create: true,
        overwrite: true,
      });
      await eventually('the editor to show the new text', () =>
        assert.equal(document.getText(), 'from elsewhere\n'),
      );
      await vscode.commands.executeCommand('workbench.action.closeActiveEditor');
    }));

  it('still opens what was kept by an older URI, and tells of its changes', () =>
    withVolume(async (volume, client) => {
      await fs.writeFile(uriOf(volume, '/kept.txt'), bytes('one\n'));
      const uri = vscode.Uri.from({ scheme: 'berth', authority: volume, path: '/kept.txt' });
      const document = await vscode.workspace.openTextDocument(uri);
      await vscode.window.showTextDocument(document);
      assert.equal(document.getText(), 'one\n');
      const options = { create: true, overwrite: true };
      await client.writeFile(volume, '/kept.txt', Buffer.from('from elsewhere\n'), options);
      await eventually('the editor to show the new text', () =>
        assert.equal(document.getText(), 'from elsewhere\n'),
      );
      await vscode.commands.executeCommand('workbench.action.closeActiveEditor');
    }));

  it('lists all volumes where none is named, and makes nothing there', () =>
    withVolume(async (volume) => {
      const all = vscode.Uri.from({ scheme: 'berth', path: '/' });
      assert.equal((await fs.stat(all)).type, vscode.FileType.Directory);
      const listed = await fs.readDirectory(all);
      assert.ok(
        listed.some(([name, type]) => name === volume && type === vscode.FileType.Directory),
        JSON.stringify(listed),
      );
      await assert.rejects(async () => fs.createDirectory(uriOf('no-such-volume-here', '/')));
    }));

  it('shows no message when somebody probes for files that are not there', () =>
    withVolume(async (volume) => {
      for (const name of ['.vscode', '.git', 'pom.xml', 'package.json']) {
        await rejectsWith('FileNotFound', () => fs.stat(uriOf(volume, `/${name}`)));
      }
    }));
});
