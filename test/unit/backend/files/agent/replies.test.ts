import assert from 'node:assert/strict';
import type { AgentAccess } from '../../../../../src/backend/files/agent/access';
import { AgentFiles } from '../../../../../src/backend/files/agent/agent-files';
import { cursorOf, entriesOf } from '../../../../../src/backend/files/agent/replies';
import { hasCode } from './harness';

const rowOf = (name: string): unknown[] => [name, 0, 1, 0o644, 0, 0, 0, 0];

describe('files/agent-replies', () => {
  it('takes any name that a file can have', () => {
    const names = ['', '...', '..a', 'a\nb', 'a\\..\\b', '\uef80'];
    assert.deepEqual(
      entriesOf(names.map(rowOf)).map(({ name }) => name),
      names,
    );
  });

  it('takes no path for a name, whatever the guest has its agent say', () => {
    for (const name of ['.', '..', '../.bashrc', '/etc/passwd', 'a/b', 'a\0']) {
      assert.throws(() => entriesOf([rowOf(name)]), hasCode('internal'), name);
    }
  });

  it('takes a next page that comes after the one before it, in the order of characters or of text', () => {
    assert.equal(cursorOf('b', undefined), 'b');
    for (const [before, next] of [
      ['a', 'b'],
      ['a', 'aa'],
      ['\uffee', '\u{1f600}'],
      ['\u{1f600}', '\uffee'],
      ['\uef80', '\ue000'],
      ['\uefff', '\uefee\uefbe\uef80'],
    ] as const) {
      assert.equal(cursorOf(next, before), next);
    }
    for (const next of ['b', 'a', '', 'B', 'az']) {
      assert.throws(() => cursorOf(next, 'b'), hasCode('internal'), next);
    }
    assert.throws(() => cursorOf(1, 'b'), hasCode('internal'));
  });

  it('refuses to list a page that was there before', async () => {
    const ok = { entries: [], total: 2, next: 'a' };
    const access = {
      volume: 'v',
      channel: () => Promise.resolve({ request: () => Promise.resolve({ ok }) }),
      hold: () => () => undefined,
    };
    const files = new AgentFiles(access as unknown as AgentAccess);
    assert.equal((await files.list('/', { limit: 1 })).next, 'a');
    await assert.rejects(files.list('/', { limit: 1, cursor: 'a' }), hasCode('internal'));
  });
});
