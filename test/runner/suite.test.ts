import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readResult } from './result';

describe('a suite in plain Node', function () {
  this.timeout(30_000);
  let directory = '';
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'berth-suite-'));
    const tests = `
      let tries = 0;
      it('is steady', () => {});
      it('is unsteady', () => { if ((tries += 1) === 1) throw new Error('the first time'); });
      it('is broken', () => { throw new Error('always'); });`;
    await writeFile(join(directory, 'some.test.js'), tests);
  });
  afterEach(() => rm(directory, { recursive: true }));

  const run = async (...options: string[]) => {
    const resultFile = join(directory, 'result.json');
    const program = [join(__dirname, 'suite-cli.js'), directory, '--result', resultFile, ...options];
    const ran = spawnSync(process.execPath, program, { encoding: 'utf8' });
    return { ...ran, result: await readResult(resultFile) };
  };

  it('fails with what fails', async () => {
    const { status, result } = await run();
    assert.equal(status, 1);
    assert.deepEqual([result?.passed, result?.failed], [1, 2]);
  });

  it('tries again when told to, and says what passed only then, and why it did not before', async () => {
    const { status, stdout, result } = await run('--retries', '1');
    assert.equal(status, 1, 'what never passes fails');
    assert.deepEqual([result?.passed, result?.failed], [2, 1]);
    const firstErrors = result!.tests.map(({ title, firstError = '' }) => [title, firstError.split('\n')[0]]);
    assert.deepEqual(firstErrors, [
      ['is steady', ''],
      ['is unsteady', 'Error: the first time'],
      ['is broken', 'Error: always'],
    ]);
    assert.match(stdout, /is unsteady: tried again after\s+Error: the first time/);
  });
});
