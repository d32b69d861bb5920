import assert from 'node:assert/strict';
import { useUnlinked } from '../../../support/vscode/unlinked';
import { sortWorkspaces } from '../../../../src/providers/trees/arrange';
import { counted, goalsOf, isShown, type WorkspaceFilter } from '../../../../src/providers/trees/filter';
import { WorkspacesTree } from '../../../../src/providers/trees/workspaces-tree';
import { workspace } from '../fixtures';

const all = [
  workspace('api', { label: 'The API', tags: ['web', 'work'], state: 'running' }),
  workspace('bot', { tags: ['work'], state: 'starting' }),
  workspace('ci', { favourite: true }),
];

describe('the filter of workspaces', () => {
  const unlinked = useUnlinked();
  const cases: [WorkspaceFilter | undefined, string[]][] = [
    [undefined, ['api', 'bot', 'ci']],
    [{ by: 'name', text: 'API' }, ['api']],
    [{ by: 'name', text: 'wo' }, ['api', 'bot']],
    [{ by: 'tag', tag: 'work' }, ['api', 'bot']],
    [{ by: 'tag', tag: 'wor' }, []],
    [{ by: 'state', state: 'running' }, ['api', 'bot']],
    [{ by: 'state', state: 'stopped' }, ['ci']],
  ];
  for (const [filter, names] of cases) {
    it(`${filter === undefined ? 'none' : JSON.stringify(filter)}: ${names.join(', ') || 'nothing'}`, () => {
      assert.deepEqual(
        all.filter((each) => isShown(each, filter)).map(({ name }) => name),
        names,
      );
    });
  }

  it('counts what there is to choose from', () => {
    assert.deepEqual(counted(all.flatMap(({ tags = [] }) => tags)), [
      ['web', 1],
      ['work', 2],
    ]);
    assert.deepEqual(counted(goalsOf(all)), [
      ['running', 2],
      ['stopped', 1],
    ]);
  });

  it('shows favourites first, whatever the order', () => {
    for (const order of ['name', 'state', 'lastUsed', 'created'] as const) {
      assert.equal(sortWorkspaces(all, order)[0]?.name, 'ci', order);
    }
  });

  it('is followed by the tree, which says how many it shows', async () => {
    const { store, link } = unlinked();
    const tree = new WorkspacesTree(store, link);
    store.loadSnapshot({ workspaces: all, volumes: [], operations: [], drivers: [] });
    const rows = async () =>
      (await tree.getChildren()).map((row) => (row.type === 'workspace' ? row.name : ''));
    assert.deepEqual(await rows(), ['ci', 'api', 'bot']);
    assert.equal(tree.shown, undefined);
    const filter: WorkspaceFilter = { by: 'tag', tag: 'work' };
    tree.filterBy(filter);
    assert.deepEqual(await rows(), ['api', 'bot']);
    assert.deepEqual(tree.shown, { filter, count: 2, total: 3 });
    tree.filterBy(undefined);
    assert.deepEqual(await rows(), ['ci', 'api', 'bot']);
    tree.dispose();
  });
});
