import assert from 'node:assert/strict';
import { standIn } from '../../../support/vscode/stand-in';
import { changing } from '../../../../src/commands/file/changing';
import { Targets } from '../../../../src/commands/targets';
import { allowChanges } from '../../../../src/commands/workspace/allowChanges';
import { VolumeFileSystem } from '../../../../src/providers/files/file-system';
import { volumeUri } from '../../../../src/providers/files/volume-uri';
import type { Row } from '../../../../src/providers/trees/rows';
import { Cancelled, Runner } from '../../../../src/ui/runner';
import { useRecordedEngine } from '../../../support/engine/recorded-engine';
import { useUnlinked } from '../../../support/vscode/unlinked';
import { entry, workspace } from '../../providers/fixtures';

const file: Row = { type: 'file', volume: 'rootfs@demo', path: '/etc/x', entry: entry('x') };
const words = 'Files of demo that are in none of its volumes are read-only until you allow changes.';

describe('changes of files that are in no volume', () => {
  const unlinked = useUnlinked();
  const engine = useRecordedEngine();
  const services = () => {
    const { store } = unlinked();
    const connected = { client: () => Promise.resolve(engine().client) };
    store.take({ type: 'workspace.changed', payload: workspace('demo', { state: 'running' }) });
    return { store, targets: new Targets(connected, store, () => ({ workspaces: [], volumes: [] })) };
  };
  const sent = () => standIn.executed.map(([command, name]) => [command, name]);

  it('are refused in one sentence, with the button that leads on', async () => {
    const { store, targets } = services();
    const done: unknown[] = [];
    const command = changing({ store, targets }, (target) => Promise.resolve(void done.push(target)));
    await command(file, [file]);
    await command({ type: 'root', workspace: 'demo' }, undefined);
    assert.deepEqual(
      standIn.messages.map(({ text, buttons }) => [text, ...buttons]),
      [
        [words, 'Allow Changes…'],
        [words, 'Allow Changes…'],
      ],
    );
    assert.deepEqual([done, sent()], [[], []]);
    standIn.pressed = () => 'Allow Changes…';
    await command(file, [file]);
    assert.deepEqual(sent(), [['berth.workspace.allowChanges', 'demo']]);
    store.allowRootChanges('demo');
    await command(file, [file]);
    await command({ ...file, volume: 'data' }, undefined);
    assert.equal(done.length, 2);
  });

  it('are refused by keys too, where a volume is mounted read-only', async () => {
    const { store, targets } = services();
    const done: unknown[] = [];
    const command = changing({ store, targets }, (target) => Promise.resolve(void done.push(target)));
    const inside = { workspace: 'demo', path: '/data/x', readOnly: true };
    const mount: Row = { type: 'mount', workspace: 'demo', volume: 'data', target: '/data', readOnly: true };
    const row: Row = { ...file, volume: 'data', path: '/x', inside };
    await command(row, [row]);
    await command(mount, [mount]);
    const refusal = 'data is mounted read-only in demo: change its files in the Volumes view.';
    assert.deepEqual(
      standIn.messages.map(({ text }) => text),
      [refusal, refusal],
    );
    await command({ ...row, inside: { ...inside, readOnly: false } }, undefined);
    assert.equal(done.length, 1);
  });

  it('are allowed for this window after a warning that says what is lost', async () => {
    const { store, targets } = services();
    standIn.pressed = () => 'Leave Read-Only';
    await assert.rejects(allowChanges({ store, targets })('demo'), Cancelled);
    assert.equal(store.allowsRootChanges('demo'), false);
    const [{ text, detail = '', buttons } = assert.fail('nothing asked')] = standIn.messages;
    assert.equal(text, 'Allow changes to the files of demo that are in none of its volumes?');
    assert.match(detail, /until it is closed or reloaded\. What is changed there goes with the next rebuild/);
    assert.deepEqual(buttons, ['Leave Read-Only', 'Allow Changes']);
    standIn.pressed = () => 'Allow Changes';
    await allowChanges({ store, targets })('demo');
    assert.equal(store.allowsRootChanges('demo'), true);
  });

  it('are refused by the file system too, before the engine is asked', async () => {
    const { store } = services();
    const { link, log } = unlinked();
    const files = new VolumeFileSystem(link, store, new Runner(link, store, log), log);
    const [inside, other] = [volumeUri('rootfs@demo', '/etc/x'), volumeUri('data', '/x')];
    const overwrite = { create: true, overwrite: true };
    for (const attempt of [
      () => files.writeFile(inside, Buffer.alloc(1), overwrite),
      () => files.createDirectory(inside),
      () => files.delete(inside, { recursive: true }),
      () => files.rename(inside, other, overwrite),
      () => files.rename(other, inside, overwrite),
      () => files.copy(other, inside, overwrite),
    ]) {
      await assert.rejects(attempt(), (error: Error) => error.message.includes(words));
    }
    assert.equal(standIn.messages.filter(({ text }) => text === words).length, 6);
    files.dispose();
  });
});
