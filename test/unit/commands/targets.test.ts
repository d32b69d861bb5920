import assert from 'node:assert/strict';
import { standIn } from '../../support/vscode/stand-in';
import * as vscode from 'vscode';
import { Cancelled } from '../../../src/ui/runner';
import { Targets, type Selections } from '../../../src/commands/targets';
import { EngineClient } from '../../../src/client/engine-client';
import { Store } from '../../../src/ui/store';
import { stateIcon } from '../../../src/providers/trees/workspace-item';
import type { FileRow, Row } from '../../../src/providers/trees/rows';
import { entry, volume, workspace } from '../providers/fixtures';

const rowOf = (name: string): Row => ({ type: 'workspace', name });
const fileRow = (path: string, type: 'file' | 'directory' = 'file'): FileRow => ({
  type: 'file',
  volume: 'data',
  path,
  entry: entry(path.slice(1), { type }),
});

describe('commands/targets', () => {
  const client = new EngineClient('/not/there.sock');
  const stopped = {
    eligible: ({ state }: { state: string }) => state === 'stopped',
    placeHolder: 'Workspace to start',
    none: 'No workspace is stopped.',
  };
  let store: Store;
  let selections: Selections;
  let targets: Targets;
  /** What happens while the engine is on its way. */
  let meanwhile: () => void;

  beforeEach(() => {
    standIn.reset();
    store = new Store();
    store.loadSnapshot({
      workspaces: [
        workspace('a', { lastUsedAt: '2026-01-01T00:00:00Z' }),
        workspace('b', { lastUsedAt: '2026-01-05T00:00:00Z' }),
        workspace('c', { state: 'running' }),
      ],
      volumes: [volume('data'), volume('cache')],
      operations: [],
      drivers: [],
    });
    selections = { workspaces: [], volumes: [] };
    meanwhile = () => undefined;
    const link = {
      client: () => {
        meanwhile();
        return Promise.resolve(client);
      },
    };
    targets = new Targets(link, store, () => selections);
  });
  afterEach(() => {
    store.dispose();
    client.dispose();
  });

  const names = async (target?: unknown, selected?: unknown): Promise<string[]> =>
    (await targets.workspaces(target, selected, stopped)).map(({ name }) => name);

  it('are the clicked row, or all selected ones with it', async () => {
    assert.deepEqual(await names(rowOf('a')), ['a']);
    assert.deepEqual(await names(rowOf('a'), [rowOf('a'), rowOf('b')]), ['a', 'b']);
    assert.deepEqual(await names('b'), ['b']);
    assert.deepEqual(standIn.messages, []);
  });

  it('are the workspace that a row below it belongs to', async () => {
    assert.deepEqual(await names({ type: 'port', workspace: 'a' }), ['a']);
  });

  it('are what is selected when a key is pressed, not what is selected when the engine answers', async () => {
    selections = { workspaces: [rowOf('a')], volumes: [] };
    meanwhile = () => (selections = { workspaces: [rowOf('b')], volumes: [] });
    assert.deepEqual(await names('selection:workspaces'), ['a']);
  });

  it('leave out those that the command is not for, and say so', async () => {
    assert.deepEqual(await names(rowOf('a'), [rowOf('a'), rowOf('c'), rowOf('gone')]), ['a']);
    assert.deepEqual(
      standIn.messages.map(({ text }) => text),
      ['2 of 3 ignored: No workspace is stopped.'],
    );
  });

  it('are none when no selected one can be meant: that is said, and nothing else is offered', async () => {
    standIn.chosen = () => assert.fail('a list was shown');
    await assert.rejects(names(rowOf('c')), Cancelled);
    assert.deepEqual(
      standIn.messages.map(({ text }) => text),
      ['No workspace is stopped.'],
    );
  });

  it('are picked from those that the command is for, the last used first', async () => {
    let offered: string[] = [];
    standIn.chosen = (items) => {
      offered = items.map(({ label }) => label);
      return items[0];
    };
    assert.deepEqual(await names(), ['b']);
    assert.deepEqual(offered, ['b', 'a']);
    standIn.chosen = () => undefined;
    await assert.rejects(names(), Cancelled);
    assert.deepEqual(standIn.messages, []);
  });

  it('are picked with the icon and colour of their state, and volumes with that of their purpose', async () => {
    const seen: unknown[] = [];
    standIn.chosen = (items) => {
      seen.push(...items.map(({ label, iconPath }) => [label, iconPath]));
      return items[0];
    };
    const any = { eligible: () => true, placeHolder: 'Workspace', none: 'None.' };
    await targets.workspaces(undefined, undefined, any);
    await targets.volumes(undefined, undefined, { placeHolder: 'Volume' });
    assert.deepEqual(
      new Map(seen as [string, unknown][]),
      new Map<string, unknown>([
        ['a', stateIcon('stopped')],
        ['b', stateIcon('stopped')],
        ['c', new vscode.ThemeIcon('vm-running', new vscode.ThemeColor('charts.green'))],
        ['data', new vscode.ThemeIcon('database')],
        ['cache', new vscode.ThemeIcon('database')],
      ]),
    );
  });

  it('of volumes: the rows of volumes, a name, else one of those that are offered', async () => {
    const choice = { placeHolder: 'Volume', offered: ({ name }: { name: string }) => name === 'cache' };
    const of = async (target?: unknown, selected?: unknown): Promise<string[]> =>
      (await targets.volumes(target, selected, choice)).map(({ name }) => name);
    const both: Row[] = [
      { type: 'volume', name: 'data' },
      { type: 'volume', name: 'cache' },
    ];
    assert.deepEqual(await of(both[0], both), ['data', 'cache']);
    assert.deepEqual(await of('data'), ['data']);
    standIn.chosen = (items) => (assert.equal(items.length, 1), items[0]);
    assert.deepEqual(await of(), ['cache']);
    const none = { ...choice, offered: () => false, none: 'No volume has that.' };
    await assert.rejects(targets.volumes(undefined, undefined, none), Cancelled);
    assert.equal(standIn.messages.at(-1)?.text, 'No volume has that.');
  });

  it('of volumes: those of others only where they are to be seen, or are what it is about', async () => {
    store.loadSnapshot({
      workspaces: [],
      volumes: [volume('data'), volume('pgdata', { role: 'foreign', managed: false })],
      operations: [],
      drivers: [],
    });
    let offered: string[] = [];
    standIn.chosen = (items) => {
      offered = items.map(({ label }) => label);
      return items[0];
    };
    const choice = { placeHolder: 'Volume' };
    await targets.pickVolume(choice);
    assert.deepEqual(offered, ['data', 'pgdata']);
    standIn.settings.set('berth.volumes.showForeign', { globalValue: false });
    await targets.pickVolume(choice);
    assert.deepEqual(offered, ['data']);
    await targets.pickVolume({ ...choice, isOfOthers: true });
    assert.deepEqual(offered, ['data', 'pgdata']);
  });

  it('of volumes: that of a workspace goes by its workspace, with its own name behind it', async () => {
    store.take({ type: 'volume.changed', payload: volume('workspace-a', { role: 'home', workspace: 'a' }) });
    let shown: (string | undefined)[] = [];
    standIn.chosen = (items) => {
      shown = items.map(({ label, description }) => `${label}: ${description}`);
      return items[0];
    };
    await targets.pickVolume({ placeHolder: 'Volume' });
    assert.ok(shown.includes('a: workspace-a · home'), shown.join());
    assert.ok(shown.includes('data: Docker volume'), shown.join());
  });

  it('of places: the roots of volumes and workspaces, files, folders, and files of the Explorer', async () => {
    const rows: Row[] = [
      { type: 'volume', name: 'data' },
      { type: 'root', workspace: 'a' },
      fileRow('/sub', 'directory'),
      fileRow('/one.txt'),
      rowOf('a'),
    ];
    const places = await targets.places(rows[0], rows);
    assert.deepEqual(
      places.map(({ volume: name, path, isFolder }) => [name, path, isFolder]),
      [
        ['data', '/', true],
        ['rootfs@a', '/', true],
        ['data', '/sub', true],
        ['data', '/one.txt', false],
      ],
    );
    standIn.folders.add('/sub');
    const uris = ['berth://data/sub', 'berth://data/one.txt', 'file:///etc/hosts'].map((each) =>
      vscode.Uri.parse(each),
    );
    assert.deepEqual(await targets.places(uris[0], uris), [
      { volume: 'data', path: '/sub', isFolder: true },
      { volume: 'data', path: '/one.txt', isFolder: false },
    ]);
    assert.deepEqual(await targets.places(undefined, undefined), []);
  });
});
