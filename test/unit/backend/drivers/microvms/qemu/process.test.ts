import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { lastWords, startDetached } from '../../../../../../src/backend/drivers/microvms/qemu/process';
import { until } from '../../../../../support/wait';

describe('the log of a process that outlives the engine', () => {
  let folder: string;
  let log: string;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'berth-process-'));
    log = join(folder, 'log');
  });
  after(() => rm(folder, { recursive: true }));

  it('is written anew, and has no hole when it is cut meanwhile', async () => {
    await writeFile(log, 'of before');
    const script = 'echo one; read word <"$1"; echo two';
    const fifo = join(folder, 'go');
    const made = await startDetached({ binary: 'mkfifo', argv: [fifo], log: join(folder, 'other') });
    await made.end;
    const started = await startDetached({ binary: 'sh', argv: ['-c', script, 'sh', fifo], log });
    await until('it has begun', async () => (await readFile(log, 'utf8')) === 'one\n');
    await truncate(log);
    await writeFile(fifo, 'go\n');
    await started.end;
    assert.equal(await readFile(log, 'utf8'), 'two\n');
  });

  it('is read at its end only', async () => {
    await writeFile(
      log,
      Buffer.concat([Buffer.alloc(8 * 1024 * 1024, 'x'), Buffer.from('\nthe last words\n')]),
    );
    const said = await lastWords(log);
    assert(said.endsWith('\nthe last words') && said.length <= 2000);
    await writeFile(log, ' short \n');
    assert.equal(await lastWords(log), 'short');
    await writeFile(log, '');
    assert.equal(await lastWords(log), '');
    assert.equal(await lastWords(join(folder, 'none')), '');
  });
});
