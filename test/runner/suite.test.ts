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
      it('is steady', () => {});
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
    assert.deepEqual([result?.passed, result?.failed], [1, 1]);
  });
});
