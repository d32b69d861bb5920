import assert from 'node:assert/strict';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readResult, summarize, writeResult } from './result';

describe('the result file', () => {
  let directory = '';
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'berth-result-'));
  });
  afterEach(() => rm(directory, { recursive: true }));

  it('is read back as it was written, and nothing else is left beside it', async () => {
    const result = summarize([{ title: 'one', state: 'failed', duration: 3, error: 'no' }]);
    const path = join(directory, 'deep', 'result.json');
    await writeResult(path, result);
    assert.deepEqual(await readResult(path), result);
    assert.deepEqual(await readdir(join(directory, 'deep')), ['result.json']);
  });

  it('counts as missing when it is cut off or something else', async () => {
    const path = join(directory, 'result.json');
    assert.equal(await readResult(path), undefined);
    for (const text of [
      '',
      '{"passed":1',
      '[]',
      '{"passed":1,"failed":0,"skipped":0}',
      '{"tests":[],"passed":"1"}',
    ]) {
      await writeFile(path, text);
      assert.equal(await readResult(path), undefined, text);
    }
  });
});
