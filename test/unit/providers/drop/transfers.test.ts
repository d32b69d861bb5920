import assert from 'node:assert/strict';
import { standIn } from '../../../support/vscode/stand-in';
import type { ConflictList, TransferCreate, TransferResult } from '../../../../src/api';
import { StreamNotes } from '../../../../src/providers/drop/stream-notes';
import { Transfers } from '../../../../src/providers/drop/transfers';
import { Runner } from '../../../../src/ui/runner';
import { Store } from '../../../../src/ui/store';
import { useRecordedEngine } from '../../../support/engine/recorded-engine';
import { TestMemory } from '../../../support/vscode/memory';
import { quietLog } from '../../../support/vscode/quiet-log';
import { operation } from '../fixtures';

describe('providers/drop/transfers', () => {
  const engine = useRecordedEngine();
  let store: Store;
  let transfers: Transfers;
  /** What the engine says is there already, by volume that it comes from or goes to. */
  let there: Map<string, string[]>;
  let result: TransferResult;

  beforeEach(() => {
    standIn.reset();
    store = new Store();
    there = new Map();
    result = { files: 1, bytes: 5, skipped: [], renamed: [], failed: [] };
    const connected = { client: () => Promise.resolve(engine().client) };
    const log = quietLog();
    transfers = new Transfers(new Runner(connected, store, log), log, new StreamNotes(new TestMemory()));
    engine().answers.set('POST /v1/transfers/conflicts', ({ body }): ConflictList => {
      const { from, to } = body as TransferCreate;
      const volume = 'volume' in from ? from.volume : 'volume' in to ? to.volume : '';
      const conflicts = (there.get(volume) ?? []).map((path) => ({ path, type: 'file' as const }));
      return { conflicts, total: conflicts.length };
    });
    engine().answers.set('POST /v1/transfers', () =>
      operation('t', { kind: 'transfer', status: 'succeeded', result }),
    );
  });
  afterEach(() => store.dispose());

  const begun = () =>
    engine()
      .asked.filter(({ route }) => route.startsWith('POST /v1/transfers?'))
      .map(({ body }) => (body as TransferCreate).conflict);
  const press = (button: string): void => {
    standIn.pressed = ({ buttons }) => buttons.find((each) => each === button);
  };

  it('says of what went on over a reload what was not done, not that it is done', () => {
    const removal = { kind: 'removal', status: 'succeeded' as const };
    transfers.reportEnd('Deleting a', operation('r', removal));
    assert.deepEqual(standIn.messages, []);
    transfers.reportEnd('Deleting a', operation('r', { ...removal, warnings: ['"/a/b" is in use.'] }));
    assert.deepEqual(
      standIn.messages.map(({ text }) => text),
      ['Deleting a: "/a/b" is in use.'],
    );
  });

  it('asks once about all that a download of several volumes meets', async () => {
    there.set('one', ['/tmp/x/a.txt']).set('two', ['/tmp/x/b.txt']);
    press('Replace All');
    const places = ['one', 'two', 'three'].map((volume) => ({ volume, path: `/${volume}` }));
    assert.equal(await transfers.download(places, '/tmp/x'), true);
    const [question, ...more] = standIn.messages;
    assert.equal(question?.text, '2 files or folders are there already.');
    assert.equal(question.detail, '/tmp/x/a.txt\n/tmp/x/b.txt');
    assert.deepEqual(more, []);
    assert.deepEqual(begun(), ['overwrite', 'overwrite', 'overwrite']);
  });

  it('does not ask again about the name that a dialog of VS Code has asked about', async () => {
    there.set('one', ['/tmp/x/a.txt']);
    assert.equal(await transfers.download([{ volume: 'one', path: '/a.txt' }], '/tmp/x/a.txt', true), true);
    assert.deepEqual(standIn.messages, []);
    assert.deepEqual(begun(), ['overwrite']);
  });

  it('begins nothing when the user backs out of the question', async () => {
    there.set('one', ['/tmp/x/a.txt']);
    const places = ['one', 'two'].map((volume) => ({ volume, path: `/${volume}` }));
    assert.equal(await transfers.download(places, '/tmp/x'), false);
    assert.deepEqual(begun(), []);
    assert.equal(standIn.messages.length, 1);
  });

  it('names the volume of what is there, and says when keeping both renames the folder around it', async () => {
    there.set('data', ['/in/src/main.py']);
    press('Keep Both');
    await transfers.upload(['/home/me/src'], { volume: 'data', path: '/in' });
    const [question] = standIn.messages;
    assert.equal(question?.text, 'data:/in/src/main.py is there already.');
    assert.equal(question.detail, 'Keep Both brings the whole folder src under a new name.');
    assert.deepEqual(begun(), ['rename']);
  });

  it('says nothing of folders where files themselves are in the way', async () => {
    there.set('data', ['/in/main.py']);
    await transfers.upload(['/home/me/main.py'], { volume: 'data', path: '/in/' });
    assert.equal(standIn.messages[0]?.detail, 'Replace it?');
  });

  it('warns of nothing that the user chose to skip, and of all that failed', async () => {
    there.set('data', ['/in/a.txt']);
    press('Skip');
    result.skipped = [{ path: '/in/a.txt', reason: 'it is there already' }];
    await transfers.upload(['/home/me/a.txt'], { volume: 'data', path: '/in' });
    assert.deepEqual(
      standIn.messages.map(({ text }) => text),
      ['data:/in/a.txt is there already.'],
    );
    assert.deepEqual(standIn.statusBar, ['Copied 1 file (5 B) to data:/in; 1 skipped']);
    result.files = 0;
    await transfers.upload(['/home/me/a.txt'], { volume: 'data', path: '/in' });
    assert.equal(standIn.statusBar.at(-1), 'Copied 0 files to data:/in; 1 skipped');
    result.files = 1;
    result.failed = [{ path: '/in/b.txt', reason: 'it is too large' }];
    await transfers.upload(['/home/me/a.txt'], { volume: 'data', path: '/in' });
    assert.equal(standIn.messages.at(-1)?.kind, 'warning');
    assert.match(standIn.messages.at(-1)?.text ?? '', /1 skipped; 1 failed$/);
  });
});
