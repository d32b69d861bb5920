import assert from 'node:assert/strict';
import type { AgentAccess } from '../../../../../src/backend/files/agent/access';
import { AgentFiles } from '../../../../../src/backend/files/agent/agent-files';
import { agentError } from '../../../../../src/backend/files/agent/errors';
import { cursorOf, entriesOf } from '../../../../../src/backend/files/agent/replies';
import { hasCode } from './harness';

const rowOf = (name: string): unknown[] => [name, 0, 1, 0o644, 0, 0, 0, 0];

describe('files/agent/replies', () => {
  it('says of what was refused whether it was to be read or to be changed', () => {
    const refused = { code: 'forbidden', detail: 'EPERM: Operation not permitted', path: '/proc/kmsg' };
    const reason = '(EPERM: Operation not permitted).';
    for (const op of ['read', 'list', 'stat', 'tar_open']) {
      assert.equal(agentError(refused, op).message, `"/proc/kmsg" can't be read ${reason}`);
    }
    for (const op of ['write', 'remove', 'merge']) {
      assert.equal(agentError(refused, op).message, `"/proc/kmsg" can't be changed ${reason}`);
    }
  });

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
