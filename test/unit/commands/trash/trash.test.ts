import assert from 'node:assert/strict';
import { standIn } from '../../../support/vscode/stand-in';
import type { TrashItem } from '../../../../src/api/trash/schemas';
import { trashSection } from '../../../../src/commands/storage/trash';
import { emptyTrash } from '../../../../src/commands/trash/empty';
import { offerUndo } from '../../../../src/commands/trash/items';
import { restoreFromTrash } from '../../../../src/commands/trash/restore';
import { Cancelled, Runner } from '../../../../src/ui/runner';
import { useRecordedEngine } from '../../../support/engine/recorded-engine';
import { useUnlinked } from '../../../support/vscode/unlinked';
import { operation, workspace } from '../../providers/fixtures';

const mebibyte = 1024 ** 2;
const item = (name: string, id: string, more: Partial<TrashItem> = {}): TrashItem => ({
  ...{ id, name, kind: 'workspace', deletedAt: '2026-01-02T03:04:05.000Z', volumes: [] },
  ...{ usedBytes: mebibyte, expiresAt: '2026-01-09T03:04:05.000Z' },
  ...more,
});

describe('commands/trash', () => {
  const unlinked = useUnlinked();
  const engine = useRecordedEngine();
  let items: TrashItem[];

  const services = () => {
    const { store, link, log } = unlinked();
    link.client = () => Promise.resolve(engine().client);
    for (const id of ['new', 'old']) {
      engine().answers.set(`POST /v1/trash/${id}/restore`, () =>
        operation('r', { kind: 'trash.restore', status: 'succeeded' }),
      );
    }
    engine().answers.set('POST /v1/trash/empty', () =>
      operation('e', { kind: 'trash.empty', status: 'succeeded' }),
    );
    engine().answers.set('GET /v1/trash', () => items);
    return { store, link, runner: new Runner(link, store, log) };
  };
  const asked = (): [string, unknown][] =>
    engine()
      .asked.filter(({ route }) => !route.startsWith('GET'))
      .map(({ route, body }) => [route.split('?')[0] ?? '', body]);

  beforeEach(() => {
    standIn.reset();
    items = [item('demo', 'new', { notKept: ['The values of its secrets: KEY.'] }), item('demo', 'old')];
  });

  it('undoes a delete by what was deleted last of that name, and says what was not kept', async () => {
    standIn.pressed = ({ buttons }) => buttons.find((each) => each === 'Undo');
    await offerUndo(services(), ['new']);
    assert.match(standIn.messages[0]?.text ?? '', /^demo is in the trash until .*Not kept: .*KEY/);
    assert.deepEqual(asked(), [['POST /v1/trash/new/restore', {}]]);
  });

  it('offers nothing where nothing was kept', async () => {
    items = [];
    await offerUndo(services(), ['gone']);
    assert.deepEqual([standIn.messages, asked()], [[], []]);
  });

  it('asks for another name where that of the item is taken', async () => {
    const given = services();
    given.store.take({ type: 'workspace.changed', payload: workspace('demo') });
    standIn.entered = () => 'demo-2';
    await restoreFromTrash(given)('old');
    assert.deepEqual(asked(), [['POST /v1/trash/old/restore', { name: 'demo-2' }]]);
  });

  it('empties it after a dialog with names, count and sizes, in which Enter keeps all', async () => {
    standIn.pressed = ({ buttons }) => buttons[0];
    await assert.rejects(Promise.resolve(emptyTrash(services())(undefined)), Cancelled);
    const [dialog] = standIn.messages;
    assert.match(dialog?.text ?? '', /2 deleted workspaces and volumes for good \(2(\.0)? MiB\)/);
    assert.match(dialog?.detail ?? '', /workspace demo: 1(\.0)? MiB/);
    assert.deepEqual(asked(), []);
    standIn.pressed = ({ buttons }) => buttons.find((each) => each === 'Empty Trash');
    await emptyTrash(services())('old');
    assert.deepEqual(asked(), [['POST /v1/trash/empty', { items: ['old'] }]]);
  });

  it('has nothing to do with another item of the name that was deleted, nor of one that is gone', async () => {
    standIn.pressed = ({ buttons }) => buttons.find((each) => each === 'Undo' || each === 'Empty Trash');
    await offerUndo(services(), []);
    assert.deepEqual([standIn.messages, asked()], [[], []]);
    await emptyTrash(services())('gone');
    assert.match(standIn.messages[0]?.text ?? '', /not in the trash any more/);
    assert.deepEqual(asked(), []);
  });

  it('is a section of the page of storage as long as something is in it', () => {
    assert.equal(trashSection([], 1), undefined);
    const { summary, bars, clean } = trashSection(items, 4 * mebibyte) ?? {};
    assert.match(summary ?? '', /^2 items · 2(\.0)? MiB$/);
    assert.match(bars?.[0]?.detail ?? '', /^workspace · deleted .* · kept until /);
    assert.deepEqual([bars?.[0]?.share, clean], [0.25, 'Empty Trash…']);
  });
});
