import assert from 'node:assert/strict';
import { standIn } from '../../../support/vscode/stand-in';
import type { Change, FileEntry, Operation, TransferResult } from '../../../../src/api';
import { oneLine } from '../../../../src/api/common';
import { takeBack, type TakingServices } from '../../../../src/commands/snapshot/take-back';
import { StreamNotes } from '../../../../src/providers/drop/stream-notes';
import { Transfers } from '../../../../src/providers/drop/transfers';
import { Runner } from '../../../../src/ui/runner';
import { Store } from '../../../../src/ui/store';
import { useRecordedEngine } from '../../../support/engine/recorded-engine';
import { TestMemory } from '../../../support/vscode/memory';
import { quietLog } from '../../../support/vscode/quiet-log';
import { entry, operation, volume } from '../../providers/fixtures';

describe('taking a file back out of a snapshot', () => {
  const engine = useRecordedEngine();
  const path = '/a/b/c.txt';
  const file = { type: 'file', size: 3, mode: 0o644, uid: 0, gid: 0, mtimeMs: 5 } as const;
  let store: Store;
  /** What is in the volume, by path. */
  let there: Map<string, FileEntry>;
  let result: TransferResult;

  beforeEach(() => {
    standIn.reset();
    store = new Store();
    there = new Map([
      ['/a', entry('a', { type: 'directory' })],
      ['/a/b', entry('b', { type: 'directory' })],
      [path, entry('c.txt', file)],
    ]);
    result = { files: 1, bytes: 3, skipped: [], renamed: [], failed: [] };
    const { answers } = engine();
    answers.set('GET /v1/volumes/data', () => volume('data'));
    answers.set('GET /v1/volumes/data/files/stat', ({ route }) => {
      const asked = new URL(route.slice(4), 'http://x').searchParams.get('path') ?? '';
      return there.get(asked) ?? { error: { code: 'path_not_found', message: `There is no ${asked}.` } };
    });
    answers.set('POST /v1/volumes/data/files/mkdir', () => entry('x'));
    answers.set('POST /v1/volumes/data/snapshots', () => operation('s', { status: 'succeeded' }));
    answers.set('POST /v1/transfers', (): Operation =>
      operation('t', { kind: 'transfer', status: 'succeeded', result }),
    );
    standIn.pressed = ({ buttons }) => buttons.find((each) => each === 'Restore from Snapshot');
  });
  afterEach(() => store.dispose());

  const restore = async (over: Partial<Change> = {}): Promise<void> => {
    const link = { client: () => Promise.resolve(engine().client) };
    const log = quietLog();
    const runner = new Runner(link, store, log);
    const transfers = new Transfers(runner, log, new StreamNotes(new TestMemory()));
    const change: Change = { path, kind: 'changed', before: file, after: file, ...over };
    await takeBack({ link, runner, transfers } as unknown as TakingServices, change, {
      from: 'snapshot@1',
      volume: 'data',
    });
  };
  const asked = (start: string) => engine().asked.filter(({ route }) => route.startsWith(start));
  const told = () => standIn.messages.slice(1).map(({ kind, text }) => `${kind}: ${text}`);
  /** What somebody does in the volume while the dialog is open. */
  const meanwhile = (act: () => void): void => {
    standIn.pressed = ({ buttons }) => {
      act();
      return buttons.find((each) => each === 'Restore from Snapshot');
    };
  };

  it('says that it is as it was, when all of it came', async () => {
    await restore();
    assert.deepEqual(told(), ['info: /a/b/c.txt is as it was.']);
    assert.equal(standIn.messages[0]?.detail, 'The volume is kept as a snapshot first.');
  });

  it('does not say so of what came in part, or was left out', async () => {
    result = { ...result, failed: [{ path: '/a/b/c.txt/x', reason: 'no room' }] };
    await restore();
    assert.deepEqual(told(), ['warning: Restoring /a/b/c.txt in data: 1 file (3 B); 1 failed']);
    standIn.messages.splice(0);
    result = { ...result, failed: [], skipped: [{ path: '/a/b/c.txt/s', reason: 'a socket' }] };
    await restore();
    assert.deepEqual(told(), []);
    assert.match(standIn.statusBar.join(), /1 skipped/);
  });

  for (const [what, act] of [
    ['written', () => void there.set(path, entry('c.txt', { ...file, mtimeMs: 6 }))],
    ['grown', () => void there.set(path, entry('c.txt', { ...file, size: 4 }))],
    ['deleted', () => void there.delete(path)],
  ] as const) {
    it(`leaves alone what was ${what} while the dialog was open`, async () => {
      engine().answers.set('GET /v1/volumes/data', () => volume('data', { kind: 'directory' }));
      meanwhile(act);
      await restore();
      assert.match(told().join(), /^error: .*It has changed since you were asked/);
      assert.deepEqual(asked('POST /v1/transfers'), []);
    });
  }

  it('restores over a change that the dialog has told of', async () => {
    await restore({ after: { ...file, size: 2 } });
    assert.match(standIn.messages[0]?.detail ?? '', /^It has changed since it was compared\./);
    assert.equal(asked('POST /v1/transfers').length, 1);
  });

  for (const folder of ['/a', '/a/b']) {
    it(`never goes through a folder that has become a link: ${folder}`, async () => {
      const link = entry('x', { type: 'symlink', targetType: 'directory' });
      meanwhile(() => void there.set(folder, link));
      await restore();
      assert.match(told().join(), new RegExp(`^error: .*: ${folder} is a link now`));
      await assert.rejects(restore(), /is a link now/);
      assert.deepEqual([...asked('POST /v1/transfers'), ...asked('POST /v1/volumes/data/files')], []);
    });
  }

  for (const name of ['a\nb', 'a\u0007\u2028b', `${'x'.repeat(70)}${'😀'.repeat(30)}`]) {
    it(`keeps the volume first under words that the engine takes: ${JSON.stringify(name)}`, async () => {
      await restore({ path: `/${name}`, kind: 'removed', after: undefined });
      const [kept] = asked('POST /v1/volumes/data/snapshots');
      const { description } = kept?.body as { description: string };
      assert.match(description, new RegExp(oneLine));
      assert.ok(Array.from(description).length <= 80);
      assert.doesNotMatch(told().join(), /\p{Cc}|\u2028/u);
    });
  }

  it('says why the volume was kept in the language of the window', async () => {
    standIn.translated = (text) => text.replace('before {0} was restored', 'vor {0}');
    await restore();
    const [kept] = asked('POST /v1/volumes/data/snapshots');
    assert.deepEqual(kept?.body, { description: 'vor c.txt' });
  });
});
