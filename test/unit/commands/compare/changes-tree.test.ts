import assert from 'node:assert/strict';
import { URI } from 'vscode-uri';
import { standIn } from '../../../support/vscode/stand-in';
import type { Change, ChangeKind } from '../../../../src/api';
import { changeMarks } from '../../../../src/commands/compare/change-marks';
import {
  changesBelow,
  ChangeNodes,
  countChanges,
  shortCounts,
} from '../../../../src/commands/compare/change-nodes';
import { ChangesTree, type ChangeRow } from '../../../../src/commands/compare/changes-tree';
import { addedUp, inRequests, takenBack, takenTo } from '../../../../src/commands/compare/taken';

const file = { type: 'file', size: 3, mode: 0o644, uid: 0, gid: 0, mtimeMs: 5 } as const;
const folder = { ...file, type: 'directory' } as const;
const change = (path: string, kind: ChangeKind = 'changed', facts: Change['after'] = file): Change => ({
  ...{ path, kind },
  ...(kind !== 'added' && { before: facts }),
  ...(kind !== 'removed' && { after: facts }),
});

const letterOf = (uri: object): unknown => {
  const mark: unknown = changeMarks.provideFileDecoration(uri as never, {} as never);
  return typeof mark === 'object' && mark !== null ? Reflect.get(mark, 'badge') : undefined;
};

describe('commands/compare', () => {
  const keys = new Map<string, unknown>();
  let tree: ChangesTree;
  beforeEach(() => {
    standIn.reset();
    tree = new ChangesTree({ set: (key, value) => void keys.set(key, value) }, { subscriptions: [] });
  });

  const side = (name: string, isFixed = false) => ({
    ...{ name, title: name, uri: URI.parse(`berth://${name}/`) },
    ...(isFixed && { isFixed }),
  });
  function show(all: readonly Change[], fixed: readonly ('before' | 'after')[] = []): ChangeNodes {
    const changes = new ChangeNodes();
    changes.add(all);
    const before = side('source', fixed.includes('before')) as never;
    const after = side('fork', fixed.includes('after')) as never;
    tree.take({ sides: { before, after }, changes, failures: [] });
    return changes;
  }
  const drawn = (rows: readonly ChangeRow[] = tree.getChildren(), depth = 0): string[] =>
    rows.flatMap((row) => {
      const { label, description } = tree.getTreeItem(row);
      assert.ok(typeof label === 'string');
      const said = typeof description === 'string' ? description : '';
      const line = `${'  '.repeat(depth)}${label} ${said}`.trimEnd();
      return [line, ...drawn(tree.getChildren(row), depth + 1)];
    });

  it('has folders first, with counts, and one row for folders that have nothing else', () => {
    show([
      change('/z.txt'),
      change('/src/lib/deep/b.ts', 'added'),
      change('/src/lib/deep/a.ts', 'removed'),
      change('/src/lib/x10'),
      change('/src/lib/x9', 'metadata'),
      change('/new', 'added', folder),
      change('/new/in', 'added', folder),
      change('/new/in/file', 'added'),
    ]);
    assert.deepEqual(drawn(), [
      'new/in +1',
      '  file',
      'src/lib +1 −1 ~2',
      '  deep +1 −1',
      '    a.ts',
      '    b.ts',
      '  x9 another mode, owner or attributes',
      '  x10',
      'z.txt',
    ]);
  });

  it('marks each with the letter and the colour of its kind, and says it in words', () => {
    show([change('/a', 'added'), change('/b', 'removed'), change('/c'), change('/d', 'type')]);
    const marks = tree.getChildren().map((row): unknown[] => {
      const { resourceUri, accessibilityInformation } = tree.getTreeItem(row);
      assert.ok(resourceUri !== undefined);
      return [letterOf(resourceUri), accessibilityInformation?.label];
    });
    assert.deepEqual(marks, [
      ['A', 'a, added'],
      ['D', 'b, removed'],
      ['M', 'c, changed'],
      ['T', 'd, another kind of file'],
    ]);
    assert.equal(letterOf(URI.parse('file:///a?kind=added')), undefined);
  });

  it('can be taken to the sides that are no snapshots', () => {
    const ways = (...fixed: ('before' | 'after')[]): unknown => {
      show([change('/a')], fixed);
      const [row] = tree.getChildren();
      const { contextValue } = tree.getTreeItem(row ?? assert.fail());
      return [
        contextValue,
        keys.get('berth.canTakeLeft'),
        keys.get('berth.canTakeRight'),
        keys.get('berth.canTakeBack'),
      ];
    };
    assert.deepEqual(ways(), ['change+file+left+right', true, true, false]);
    assert.deepEqual(ways('before'), ['change+file+restore', false, false, true]);
    assert.deepEqual(ways('before', 'after'), ['change+file', false, false, false]);
    tree.clear();
    assert.deepEqual([tree.getChildren(), keys.get('berth.hasChanges')], [[], false]);
  });

  it('takes 20,000 changes in one folder and in many, a thousand rows at once', () => {
    const began = performance.now();
    const all = Array.from({ length: 20_000 }, (_, n) =>
      change(n % 2 === 0 ? `/one/f${n}` : `/d${n % 500}/x/f${n}`),
    );
    show(all);
    const rows = tree.getChildren();
    rows.forEach((row) => tree.getTreeItem(row));
    const one = rows.find((row) => tree.getTreeItem(row).label === 'one');
    const inOne = tree.getChildren(one);
    assert.deepEqual([inOne.length, inOne.at(-1)?.type], [1_001, 'rest']);
    assert.equal(tree.getChildren(inOne.at(-1)).length, 1_001);
    assert.ok(performance.now() - began < 2_000, `${performance.now() - began} ms`);
    assert.equal(tree.getTreeItem(rows[0] ?? assert.fail()).collapsibleState, 1, 'closed at first');
  });

  it('knows all that is below a row, each once', () => {
    const changes = show([change('/a/b/c'), change('/a/d'), change('/e')]);
    const below = (name: string) => {
      const node = changes.root.children.get(name) ?? assert.fail();
      return changesBelow([node, node])
        .map(({ path }) => path)
        .sort();
    };
    assert.deepEqual(below('a'), ['/a/b/c', '/a/d']);
    assert.equal(changesBelow([changes.root]).length, 3);
    assert.equal(shortCounts(countChanges([change('/x', 'added'), change('/y', 'type')])), '+1 ~1');
  });

  it('asks for a new folder as a whole, of one that has too much in it for its parts', () => {
    const many = (path: string, count: number): Change[] => [
      change(path, 'added', folder),
      ...Array.from({ length: count }, (_, n) => change(`${path}/f${n}`, 'added')),
    ];
    const all = takenTo('left', [change('/c'), ...many('/new', 12_000), ...many('/new/in', 3_000)]);
    assert.deepEqual(
      inRequests(all).map((request) => request.length),
      [1, 15_002],
    );
    const parts = inRequests(all, 5_000);
    assert.deepEqual(
      parts.map((request) => [request.length, request.some(({ path }) => path === '/new')]),
      [
        [2, true],
        [10_000, false],
        [5_001, false],
      ],
    );
    const inFolder = parts.map((request) => request.filter(({ path }) => path.startsWith('/new/in')).length);
    assert.deepEqual(
      inFolder.filter((count) => count > 0),
      [3_001],
    );
    assert.equal(new Set(parts.flat().map(({ path }) => path)).size, all.length);
  });

  it('asks for what goes from the inside out, then for what comes, and knows the way back', () => {
    const all = [change('/a', 'added', folder), change('/a/b', 'added'), change('/c')];
    const right = takenTo('right', all);
    assert.deepEqual(
      right.map(({ from, to }) => [from?.type, to?.type]),
      [
        [undefined, 'directory'],
        [undefined, 'file'],
        ['file', 'file'],
      ],
    );
    const left = takenTo('left', all);
    assert.deepEqual(
      inRequests(right)[0]?.map(({ path }) => path),
      ['/a/b', '/a', '/c'],
    );
    const back = takenBack(left, [{ path: '/c', why: 'target', reason: '' }]);
    assert.deepEqual(back, right.slice(0, 2));
    assert.equal(
      inRequests(
        takenTo(
          'right',
          Array.from({ length: 25_000 }, (_, n) => change(`/${n}`)),
        ),
      ).length,
      3,
    );
    const one = { taken: 1, removed: 2, bytes: 3, left: [], leftInAll: 1 };
    assert.deepEqual(addedUp([one, one]), { taken: 2, removed: 4, bytes: 6, left: [], leftInAll: 2 });
  });
});
