import assert from 'node:assert/strict';
import { standIn } from '../../support/vscode/stand-in';
import { deleteSelected, renameSelected } from '../../../src/commands/view/selected';
import { Targets } from '../../../src/commands/targets';
import type { Row } from '../../../src/providers/trees/rows';
import { Store } from '../../../src/ui/store';

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

  it('does nothing with rows that the key means nothing for', async () => {
    await renameSelected({ targets })({ type: 'port', workspace: 'a' });
    assert.deepEqual(standIn.executed, []);
  });
});
