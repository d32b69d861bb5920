import assert from 'node:assert/strict';
import { entriesOf } from '../../../../src/backend/files/agent-replies';
import { hasCode } from './agent-harness';

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
});
