import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { FileChange, TransferCreate } from '../../../../../src/api/files/schemas';
import { publishedFiles } from '../../../../../src/backend/services/volumes/published-files';
import { renewIdentity } from '../../../../../src/backend/services/workspaces/fork/renew-identity';
import { Transfers } from '../../../../../src/backend/services/transfers/transfers';
import { DownloadDrafts } from '../../../../../src/backend/store/download-drafts';
import { useTempFolder } from '../../../../support/temp';
import { TestContext } from '../../../../support/test-context';
import { hasCode, TestVolume } from '../../files/agent/harness';

describe('services/volumes/published-files', function () {
  this.timeout(60_000);
  const records = useTempFolder();
  let volumes: Record<string, TestVolume>;
  let changes: Record<string, FileChange[]>;

  beforeEach(async () => {
    volumes = { one: await TestVolume.create('one'), two: await TestVolume.create('two') };
    changes = { one: [], two: [] };
  });
  afterEach(() => Promise.all(Object.values(volumes).map((volume) => volume.dispose())));

  const open = (name: string) =>
    Promise.resolve(publishedFiles(volumes[name]!.files, (more) => changes[name]!.push(...more)));
  const put = (name: string, path: string): void => {
    mkdirSync(join(volumes[name]!.root, path, '..'), { recursive: true });
    writeFileSync(join(volumes[name]!.root, path), name);
  };
  const run = (request: TransferCreate) =>
    new Transfers({ openFiles: open, drafts: new DownloadDrafts(records()) }).run(
      request,
      new TestContext([]),
    );
  const move = {
    from: { volume: 'one', paths: ['/src', '/free'] },
    to: { volume: 'two', path: '/' },
    move: true,
  };

  it('say nothing of what was refused', async () => {
    ['src/a', 'free'].forEach((path) => put('one', path));
    put('two', 'src/a');
    await assert.rejects(run(move), hasCode('path_exists'));
    assert.deepEqual(changes, { one: [], two: [] });
    await assert.rejects((await open('one')).mkdir('/src'), hasCode('path_exists'));
    assert.deepEqual(changes.one, []);
  });

  it('say of a move only what has moved, and show nobody a stage', async () => {
    ['src/a', 'free'].forEach((path) => put('one', path));
    put('two', 'src/a');
    await run({ ...move, conflict: 'skip' });
    assert.deepEqual(changes.one, [{ type: 'deleted', path: '/free' }]);
    assert.deepEqual(changes.two?.map(({ path }) => path).sort(), ['/', '/free', '/src']);
  });

  it('say which ids and keys of a copied system are others', async () => {
    ['etc/machine-id', 'etc/ssh/ssh_host_ed25519_key', 'etc/hostname'].forEach((path) => put('one', path));
    await renewIdentity(await open('one'));
    assert.deepEqual(
      changes.one,
      ['/etc/machine-id', '/etc/ssh/ssh_host_ed25519_key', '/etc/ssh/ssh_host_ed25519_key.pub'].map(
        (path) => ({ type: 'changed', path }),
      ),
    );
  });

  it('say that part of a folder may be gone when it could not be removed', async () => {
    await assert.rejects((await open('one')).remove('/none', { recursive: true }), hasCode('path_not_found'));
    assert.deepEqual(changes.one, [{ type: 'changed', path: '/none' }]);
  });
});
