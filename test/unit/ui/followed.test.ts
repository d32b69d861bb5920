import assert from 'node:assert/strict';
import { standIn } from '../../support/vscode/stand-in';
import type { Operation } from '../../../src/api';
import { FollowedOperations, resumeFollowed } from '../../../src/ui/followed';
import { Runner } from '../../../src/ui/runner';
import { Store } from '../../../src/ui/store';
import { useRecordedEngine } from '../../support/engine/recorded-engine';
import { quietLog } from '../../support/vscode/quiet-log';
import { operation } from '../providers/fixtures';

describe('ui/followed: what a window follows, over its reload', () => {
  const engine = useRecordedEngine();
  let kept: Map<string, unknown>;
  let written: unknown[];
  let store: Store;

  beforeEach(() => {
    standIn.reset();
    written = [];
    kept = new Map();
    store = new Store();
  });
  afterEach(() => store.dispose());

  const memory = {
    get: (key: string) => kept.get(key),
    update: (key: string, value: unknown) => {
      kept.set(key, structuredClone(value));
      written.push(kept.get(key));
      return Promise.resolve();
    },
  };
  const openWindow = () => {
    const followed = new FollowedOperations(memory);
    const client = () => Promise.resolve(engine().client);
    const runner = new Runner({ client }, store, quietLog(), followed);
    const ended: string[] = [];
    const done = (title: string, { id }: Operation): void => void ended.push(`${title}: ${id}`);
    return { followed, runner, ended, resume: () => resumeFollowed(runner, followed, done) };
  };
  const answer = (found: Operation): void =>
    void engine().answers.set(`GET /v1/operations/${found.id}`, () => found);

  it('is remembered while it is under way, and forgotten when it has ended', async () => {
    engine().answers.set('GET /v1/operations/up', () => operation('up', { status: 'succeeded' }));
    const outcome = await openWindow().runner.run('Uploading photos', (task) => task.follow(operation('up')));
    assert.equal(outcome.kind, 'done');
    assert.deepEqual(written, [[{ id: 'up', title: 'Uploading photos' }], []]);
  });

  it('shows again after a reload, until its end, which is said', async () => {
    kept.set('berth.followed', [{ id: 'up', title: 'Uploading photos' }]);
    answer(operation('up', { status: 'succeeded' }));
    const { resume, ended } = openWindow();
    await resume();
    assert.deepEqual(ended, ['Uploading photos: up']);
    assert.deepEqual(kept.get('berth.followed'), []);
  });

  it('says the error of one that failed meanwhile', async () => {
    kept.set('berth.followed', [{ id: 'up', title: 'Uploading photos' }]);
    answer(operation('up', { status: 'failed', error: { code: 'no_space', message: 'The disk is full.' } }));
    const { resume, ended } = openWindow();
    await resume();
    assert.deepEqual(ended, []);
    assert.equal(standIn.messages[0]?.text, 'Uploading photos: The disk is full.');
    assert.deepEqual(kept.get('berth.followed'), []);
  });

  it('forgets one that the engine does not know any more, without a word', async () => {
    kept.set('berth.followed', [{ id: 'gone', title: 'Uploading photos' }]);
    const { resume, ended } = openWindow();
    await resume();
    assert.deepEqual([ended, standIn.messages, kept.get('berth.followed')], [[], [], []]);
  });

  it('passes over what it did not write itself', () => {
    for (const odd of ['text', [1, null, { id: 5, title: 'a' }], { id: 'a', title: 'b' }]) {
      kept.set('berth.followed', odd);
      assert.deepEqual(openWindow().followed.earlier, []);
    }
  });
});
