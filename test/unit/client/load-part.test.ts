import assert from 'node:assert/strict';
import { BerthError } from '../../../src/api/errors';
import { loadPart } from '../../../src/client/load-part';

describe('a part of the extension with a file of its own', () => {
  it('says what to do where an update has taken it away, and hands on what else goes wrong', async () => {
    assert.equal(await loadPart(Promise.resolve(1)), 1);
    const lost = Object.assign(new Error('Cannot find module'), { code: 'MODULE_NOT_FOUND' });
    await assert.rejects(
      loadPart(Promise.reject(lost)),
      (error: unknown) =>
        error instanceof BerthError && error.code === 'gone' && error.hint === 'Reload the window.',
    );
    const other = new Error('it broke');
    await assert.rejects(loadPart(Promise.reject(other)), (error) => error === other);
  });
});
