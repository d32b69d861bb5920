import assert from 'node:assert/strict';
import { standIn } from '../../../support/vscode/stand-in';
import { FocusedRows } from '../../../../src/providers/trees/focused-rows';

describe('providers/trees/focused-rows', () => {
  let view: { selection: readonly string[] };
  const rows = new FocusedRows();

  function focus(row: string | undefined, selection: readonly string[]): void {
    view = { selection };
    standIn.effects.set('list.toggleSelection', () => {
      const { selection: now } = view;
      const rest = now.filter((each) => each !== row);
      view.selection = row === undefined ? now : rest.length < now.length ? rest : [...now, row];
    });
  }
  beforeEach(() => standIn.reset());

  it('are the focused one alone when another one is selected', async () => {
    focus('b', ['a']);
    assert.deepEqual(await rows.of(view), ['b']);
    assert.deepEqual(view.selection, ['a']);
  });

  it('are all selected ones when the focused one is among them', async () => {
    focus('b', ['a', 'b']);
    assert.deepEqual(await rows.of(view), ['a', 'b']);
    assert.deepEqual([...view.selection].sort(), ['a', 'b']);
  });

  it('are the same for keys in quick succession, which find them one after the other', async () => {
    focus('b', ['a']);
    assert.deepEqual(await Promise.all([rows.of(view), rows.of(view), rows.of(view)]), [['b'], ['b'], ['b']]);
    assert.deepEqual(view.selection, ['a']);
  });

  it('are found also after a key whose rows were not', async () => {
    focus('b', ['a']);
    standIn.effects.set('list.toggleSelection', () => {
      throw new Error('There is no list.');
    });
    await assert.rejects(rows.of(view), /no list/);
    focus('b', ['a']);
    assert.deepEqual(await rows.of(view), ['b']);
  });

  it('are the selected ones where nothing has the focus', async () => {
    focus(undefined, ['a']);
    assert.deepEqual(await rows.of(view), ['a']);
  });
});
