import assert from 'node:assert/strict';
import { standIn } from '../../support/vscode/stand-in';
import {
  activateSelected,
  deleteSelected,
  renameOrActivate,
  renameSelected,
} from '../../../src/commands/view/selected';
import { Targets } from '../../../src/commands/targets';
import type { Row } from '../../../src/providers/trees/rows';
import { Store } from '../../../src/ui/store';
import { entry } from '../providers/fixtures';

describe('commands/view/selected', () => {
  const link = { client: () => Promise.reject(new Error('nobody asks the engine')) };
  const targets = new Targets(link, new Store(), () => ({ workspaces: [], volumes: [] }));
  const rows: Row[] = [
    { type: 'workspace', name: 'a' },
    { type: 'workspace', name: 'b' },
  ];
  beforeEach(() => standIn.reset());

  it('sends a key on with all rows that it is meant for', async () => {
    await deleteSelected({ targets })(rows[0], rows);
    await renameSelected({ targets })(rows[1], [rows[1]]);
    assert.deepEqual(standIn.executed, [
      ['berth.workspace.delete', rows[0], rows],
      ['berth.workspace.rename', rows[1], [rows[1]]],
    ]);
  });

  it('takes a published port back on Delete', async () => {
    const port: Row = { type: 'published', workspace: 'a', host: 18_080, guest: 8080 };
    await deleteSelected({ targets })(port, [port]);
    assert.deepEqual(standIn.executed, [['berth.port.remove', port, [port]]]);
  });

  it('renames a file on Enter on a Mac, where the Explorer does, and is Enter on the rest', async () => {
    const inside = { workspace: 'a', path: '/data', readOnly: false };
    const file: Row = { type: 'file', volume: 'data', path: '/x', entry: entry('x', { type: 'file' }) };
    const folder: Row = { ...file, path: '/y', entry: entry('y', { type: 'directory' }) };
    const mounted: Row = { ...folder, path: '/', inside: { ...inside, mounted: 'volume' } };
    const all: Row[] = [{ type: 'workspace', name: 'a' }, file, folder, mounted];
    for (const row of all) {
      await renameOrActivate({ targets })(row, [row]);
      await activateSelected({ targets })(row, [row]);
    }
    assert.deepEqual(
      standIn.executed.map(([command]) => command),
      [
        ...['berth.workspace.open', 'berth.workspace.open', 'berth.file.rename', 'berth.file.open'],
        ...['berth.file.rename', 'list.toggleExpand', 'list.toggleExpand', 'list.toggleExpand'],
      ],
    );
  });

  it('does nothing with rows that the key means nothing for', async () => {
    await renameSelected({ targets })({ type: 'port', workspace: 'a' });
    assert.deepEqual(standIn.executed, []);
  });
});
