import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { standIn } from '../../../support/vscode/stand-in';
import * as vscode from 'vscode';
import { VolumeFileSystem } from '../../../../src/providers/files/file-system';
import { volumeUri } from '../../../../src/providers/files/volume-uri';
import type { EngineLink } from '../../../../src/ui/engine-link';
import { Runner } from '../../../../src/ui/runner';
import type { Store } from '../../../../src/ui/store';
import { useRecordedEngine } from '../../../support/engine/recorded-engine';
import { useUnlinked } from '../../../support/vscode/unlinked';
import { until } from '../../../support/wait';
import { operation } from '../fixtures';

describe('providers/files/file-system', () => {
  const unlinked = useUnlinked();
  const engine = useRecordedEngine();
  let store: Store;
  let link: EngineLink;
  let files: VolumeFileSystem;
  let changes: vscode.FileChangeEvent[];

  beforeEach(() => {
    const { log } = unlinked();
    ({ store, link } = unlinked());
    const connected = { client: () => Promise.resolve(engine().client) };
    files = new VolumeFileSystem(link, store, new Runner(connected, store, log), log);
    changes = [];
    files.onDidChangeFile((events) => changes.push(...events));
    let removal = operation('r', { kind: 'removal' });
    engine().answers.set('POST /v1/volumes/data/files/remove', () => ({
      error: { code: 'directory_not_empty', message: 'It is not empty.' },
    }));
    engine().answers.set('POST /v1/removals', () => removal);
    engine().answers.set('GET /v1/operations/r', () => removal);
    engine().answers.set(
      'DELETE /v1/operations/r',
      () => (removal = operation('r', { kind: 'removal', status: 'cancelled' })),
    );
  });
  afterEach(() => {
    files.dispose();
  });

  it('shows how far it is with a folder that VS Code deletes, and lets that be cancelled', async () => {
    const deleting = files.delete(volumeUri('data', '/large'), { recursive: true });
    const ended = assert.rejects(deleting, (error: vscode.FileSystemError) => {
      assert.equal(error.code, 'Unavailable');
      assert.match(error.message, /^Cancelled: what was not deleted yet is still there/);
      return true;
    });
    await until('the progress shows', () => standIn.progress.length === 1);
    assert.equal(standIn.progress[0]?.title, 'Deleting large');
    await sleep(5);
    standIn.cancelProgress();
    await ended;
    assert.ok(engine().asked.some(({ route }) => route.startsWith('DELETE /v1/operations/r')));
    assert.deepEqual(standIn.messages, []);
    assert.deepEqual(changes, []);
  });
});
