import assert from 'node:assert/strict';
import { standIn } from '../../../support/vscode/stand-in';
import { FoundTree } from '../../../../src/commands/volume/found-tree';

const line = (path: string, number: number, text: string, column: number) => ({
  ...{ path, line: number, column, length: 6, text },
});

describe('commands/volume/found-tree', () => {
  const set: unknown[] = [];
  const tree = new FoundTree({ set: (...change) => void set.push(change) }, { subscriptions: [] });
  beforeEach(() => standIn.reset());

  it('has the lines that were found below their files, both in order', () => {
    tree.take('data', [
      line('/src/b.py', 120, 'needle', 1),
      line('/a.py', 3, 'a needle', 3),
      line('/src/b.py', 7, '  is needle', 6),
    ]);
    const files = tree.getChildren().map((file) => {
      const { label, description } = tree.getTreeItem(file);
      return [label, description, ...tree.getChildren(file).map((row) => tree.getTreeItem(row).description)];
    });
    assert.deepEqual(files, [
      ['a.py', '1 line', '3'],
      ['b.py', 'src · 2 lines', '7', '120'],
    ]);
    const [first] = tree.getChildren();
    const [row] = first === undefined ? [] : tree.getChildren(first);
    assert.equal(row && tree.getParent(row), first);
  });

  it('marks the match in a line without the space before it, where the whole line is known', () => {
    const labelOf = (text: string, column: number) => {
      tree.take('data', [line('/a', 1, text, column)]);
      const [file] = tree.getChildren();
      const [row] = file === undefined ? [] : tree.getChildren(file);
      return row && tree.getTreeItem(row).label;
    };
    assert.deepEqual(labelOf('   a needle ', 6), { label: 'a needle', highlights: [[2, 8]] });
    assert.deepEqual(labelOf(`${'x'.repeat(20)}needle`, 21), {
      label: `…${'x'.repeat(16)}needle`,
      highlights: [[17, 23]],
    });
    assert.deepEqual(labelOf('needle'.padEnd(400, 'x'), 1), { label: 'needle'.padEnd(400, 'x') });
    assert.deepEqual(labelOf('   ', 1), { label: ' ' });
  });

  it('goes with its view', () => {
    tree.clear();
    assert.deepEqual(tree.getChildren(), []);
    assert.deepEqual(set, [['berth.hasFound', false]]);
  });
});
