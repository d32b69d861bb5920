import assert from 'node:assert/strict';
import { standIn } from '../../../support/vscode/stand-in';
import { Clipboard } from '../../../../src/commands/file/clipboard';
import { compareWith } from '../../../../src/commands/file/compareWith';
import { copyFiles } from '../../../../src/commands/file/copy';
import { copyRelativePath } from '../../../../src/commands/file/copyRelativePath';
import { copyName, duplicateFiles } from '../../../../src/commands/file/duplicate';
import { insideOf, openTerminalHere } from '../../../../src/commands/file/openTerminalHere';
import { openToSide } from '../../../../src/commands/file/openToSide';
import { Targets } from '../../../../src/commands/targets';
import { WorkspaceTerminals } from '../../../../src/providers/terminal/terminals';
import type { FileRow, Row } from '../../../../src/providers/trees/rows';
import { Cancelled, Runner } from '../../../../src/ui/runner';
import { useRecordedEngine } from '../../../support/engine/recorded-engine';
import { useUnlinked } from '../../../support/vscode/unlinked';
import { entry, workspace } from '../../providers/fixtures';

const row = (path: string, more: Partial<FileRow> = {}): FileRow => ({
  ...{ type: 'file', volume: 'data', path, entry: entry(path.slice(1), { type: 'file' }), ...more },
});

describe('commands on files', () => {
  const unlinked = useUnlinked();
  const engine = useRecordedEngine();
  const services = () => {
    const { store, link, log } = unlinked();
    const connected = { client: () => Promise.resolve(engine().client) };
    const targets = new Targets(connected, store, () => ({ workspaces: [], volumes: [] }));
    const runner = new Runner(connected, store, log);
    const terminals = new WorkspaceTerminals(link, store);
    return { targets, link, store, runner, terminals };
  };

  it('name a duplicate as the Explorer does', () => {
    assert.deepEqual(
      [1, 2].map((count) => copyName('a.b.txt', false, count)),
      ['a.b copy.txt', 'a.b copy 2.txt'],
    );
    assert.equal(copyName('.env', false, 1), '.env copy');
    assert.equal(copyName('v1.0', true, 3), 'v1.0 copy 3');
  });

  it('duplicate beside the original, and replace nothing', async () => {
    engine().answers.set('POST /v1/volumes/data/files/copy', () => entry('one copy.txt'));
    await duplicateFiles(services())(row('/sub/one.txt'));
    const bodies = engine().asked.flatMap(({ body }) => (body === undefined ? [] : [body]));
    assert.deepEqual(bodies, [{ from: '/sub/one.txt', to: '/sub/one copy.txt', overwrite: false }]);
  });

  it('open beside, and compare two that are selected', async () => {
    await openToSide(services())(row('/one.txt'));
    const [open] = standIn.executed;
    assert.deepEqual([open?.[0], open?.[2]], ['vscode.open', { viewColumn: -2 }]);
    const rows = [row('/one.txt'), row('/two.txt')];
    await compareWith(services())(rows[0], rows);
    const diff = standIn.executed.at(-1) ?? [];
    assert.deepEqual([diff[0], diff[3]], ['vscode.diff', 'one.txt ↔ two.txt']);
  });

  it('by keys copy what is a file or a volume, and ask nothing on other rows', async () => {
    const all = services();
    const clipboard = new Clipboard({ set: () => undefined });
    const inside = { workspace: 'demo', path: '/etc/hosts', readOnly: true };
    const rows: Row[] = [
      { type: 'root', workspace: 'demo' },
      row('/etc/hosts', { volume: 'rootfs@demo', inside }),
    ];
    await copyFiles({ ...all, clipboard })(rows[0], rows);
    const copied = () => clipboard.content?.places.map(({ volume, path }) => `${volume}:${path}`);
    assert.deepEqual(copied(), ['rootfs@demo:/etc/hosts']);
    const other: Row = { type: 'workspace', name: 'demo' };
    await assert.rejects(copyFiles({ ...all, clipboard })(other, [other]), Cancelled);
    await copyFiles({ ...all, clipboard })(rows[0], [{ type: 'root', workspace: 'demo' }]);
    assert.deepEqual(copied(), ['rootfs@demo:/etc/hosts']);
  });

  it('copy paths from the root of the volume', async () => {
    const rows = [row('/src/a.ts'), row('/b')];
    await copyRelativePath(services())(rows[0], rows);
    assert.equal(standIn.clipboard, 'src/a.ts\nb');
  });

  it('find the workspace that has a file, and where its shell sees it', () => {
    const { store } = unlinked();
    const mounts = [{ kind: 'volume' as const, source: 'data', target: '/mnt/data', readOnly: false }];
    for (const [name, state] of [
      ['still', 'stopped'],
      ['live', 'running'],
    ] as const) {
      const payload = workspace(name, { state, spec: { ...workspace(name).spec, mounts } });
      store.take({ type: 'workspace.changed', payload });
    }
    const place = (volume: string, path: string, file?: FileRow) =>
      insideOf(store, { volume, path, isFolder: false, ...(file && { row: file }) });
    const found = (...asked: Parameters<typeof place>) => {
      const inside = place(...asked);
      return inside && [inside.workspace.name, inside.path];
    };
    assert.deepEqual(found('data', '/src/a.ts'), ['live', '/mnt/data/src/a.ts']);
    assert.deepEqual(found('workspace-still', '/a'), ['still', '/home/workspace/a']);
    assert.deepEqual(found('rootfs@live', '/etc/hosts'), ['live', '/etc/hosts']);
    const inside = { workspace: 'still', path: '/opt/a', readOnly: false };
    assert.deepEqual(found('data', '/a', row('/a', { inside })), ['still', '/opt/a']);
    assert.equal(found('nobodys', '/a'), undefined);
  });

  it('open a terminal in the workspace whose mount was clicked, though another one has the volume as well', async () => {
    const { store, targets } = services();
    const mounts = [{ kind: 'volume' as const, source: 'data', target: '/mnt/data', readOnly: false }];
    for (const name of ['first', 'second']) {
      const payload = workspace(name, { state: 'running', spec: { ...workspace(name).spec, mounts } });
      store.take({ type: 'workspace.changed', payload });
    }
    const mount = { type: 'mount', workspace: 'second', volume: 'data', target: '/mnt/data' };
    const [place] = await targets.places(mount, undefined);
    const inside = place && insideOf(store, place);
    assert.deepEqual([inside?.workspace.name, inside?.path], ['second', '/mnt/data']);
  });

  it('say of what Docker inside of a workspace has whose it is, with a button that opens its terminal', async () => {
    const all = services();
    const payload = workspace('demo', { state: 'running', dockerVolume: 'data' });
    all.store.take({ type: 'workspace.changed', payload });
    await openTerminalHere(all)(row('/one.txt'));
    const [message] = standIn.messages;
    assert.match(message?.text ?? '', /^The Docker inside of demo has the volume data/);
    assert.deepEqual(message?.buttons, ['Open Terminal']);
  });

  it('open no terminal for what no workspace has, and say so', async () => {
    await openTerminalHere(services())(row('/one.txt'));
    assert.match(standIn.messages[0]?.text ?? '', /^No workspace has the volume data mounted/);
  });
});
