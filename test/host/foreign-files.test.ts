import assert from 'node:assert/strict';
import * as vscode from 'vscode';
import type { EngineClient } from '../../src/client/engine-client';
import { Cancelled, type Task } from '../../src/ui/runner';
import { readForeign } from '../../src/providers/drop/foreign-tree';
import { streamOut } from '../../src/providers/drop/stream-out';
import { Link, MemoryFiles, type Thing } from './memory-files';
import { eventually, rejectsWith, uriOf, withVolume } from './support';

const { fs } = vscode.workspace;
const megabyte = 1_000_000;

describe('files of a file system that only VS Code reaches', function () {
  this.timeout(60_000);
  let files: MemoryFiles | undefined;
  const aborting = (): AbortController => new AbortController();
  const readAt = (path: string, abort = aborting()) =>
    readForeign([memory().uri(path)], { signal: abort.signal, report: () => undefined });
  const memory = (): MemoryFiles => {
    assert.ok(files);
    return files;
  };
  const use = (root: { [name: string]: Thing }, closed: string[] = []): void => {
    files = new MemoryFiles('berth-test-memory', root, closed);
  };

  afterEach(() => files?.dispose());

  it('are found below a folder without following links to folders', async () => {
    use(
      {
        top: {
          'a.txt': 'a',
          deep: { 'b.txt': 'b', back: new Link('folder') },
          empty: {},
          'to-file': new Link('file'),
          nowhere: new Link('nothing'),
          closed: { secret: 'x' },
        },
      },
      ['/top/closed'],
    );
    const { incoming, left } = await readAt('/top');
    assert.deepEqual(incoming.map(({ name }) => name).sort(), [
      'top',
      'top/a.txt',
      'top/deep',
      'top/deep/b.txt',
      'top/empty',
      'top/to-file',
    ]);
    const link = incoming.find(({ name }) => name === 'top/to-file');
    assert.equal(Buffer.from((await link?.read?.()) ?? []).toString(), 'through a link');
    assert.equal(left.length, 3, left.join('\n'));
    assert.match(left.join('\n'), /top\/deep\/back: a link to a folder is not followed/);
    assert.match(left.join('\n'), /top\/nowhere: it is neither a file nor a folder/);
    assert.match(left.join('\n'), /top\/closed: /);
  });

  it('come to an end also where folders lead in circles unseen', async () => {
    const circle: { [name: string]: Thing } = { file: 'x' };
    circle.again = circle;
    use({ circle });
    const { incoming, left } = await readAt('/circle');
    assert.ok(incoming.length < 200, String(incoming.length));
    assert.match(left.join('\n'), /more than 64 folders deep/);
  });

  it('are looked for no longer than wanted', async () => {
    use({ top: { deep: { deeper: {} } } });
    const abort = aborting();
    abort.abort();
    await assert.rejects(readAt('/top', abort), Cancelled);
  });

  it('get what is copied out of a volume, however large for an editor', () =>
    withVolume(async (volume, client) => {
      use({ old: {} });
      const configuration = vscode.workspace.getConfiguration('berth');
      await configuration.update('files.maxEditorSizeMiB', 1, vscode.ConfigurationTarget.Global);
      try {
        await client.call('files.mkdir', { params: { volume }, body: { path: '/site/deep', parents: true } });
        const large = Buffer.alloc(1.5 * megabyte, 'l');
        await fs.writeFile(uriOf(volume, '/site/deep/large.bin'), large);
        await fs.writeFile(uriOf(volume, '/site/run.sh'), Buffer.from('#!/bin/sh\n'));
        await client.call('files.chmod', { params: { volume }, body: { path: '/site/run.sh', mode: 0o755 } });
        const counts = await streamOut(taskOf(client), [{ volume, path: '/site' }], memory().uri('/'), false);
        assert.deepEqual(
          { ...counts, notes: counts.notes?.length },
          {
            files: 2,
            bytes: large.length + 10,
            skipped: [],
            failed: [],
            renamed: 0,
            notes: 1,
          },
        );
        assert.equal((await fs.readFile(memory().uri('/site/deep/large.bin'))).length, large.length);
        await fs.copy(uriOf(volume, '/site/deep/large.bin'), memory().uri('/copied.bin'));
        assert.equal((await fs.readFile(memory().uri('/copied.bin'))).length, large.length);
        await isNotOpened(uriOf(volume, '/site/deep/large.bin'));
      } finally {
        await configuration.update('files.maxEditorSizeMiB', undefined, vscode.ConfigurationTarget.Global);
      }
    }));

  /** Its tab comes, its content doesn't. */
  async function isNotOpened(uri: vscode.Uri): Promise<void> {
    void vscode.commands.executeCommand('vscode.open', uri);
    const tab = await eventually('the tab', () => {
      const found = vscode.window.tabGroups.all
        .flatMap(({ tabs }) => tabs)
        .find(({ input }) => input instanceof vscode.TabInputText && input.uri.toString() === uri.toString());
      assert.ok(found);
      return found;
    });
    await rejectsWith('Unavailable', () => fs.readFile(uri));
    await vscode.window.tabGroups.close(tab);
  }
});

function taskOf(client: EngineClient): Task {
  const follow = (): Promise<never> => Promise.reject(new Error('nothing is followed here'));
  return { client, signal: new AbortController().signal, report: () => undefined, follow };
}
