import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { programOn } from '../../../../src/backend/ssh/port-user';
import { occupy, ownPortRange, vacate } from '../../../support/ports';

describe('ssh/port-user', () => {
  it('names the program that listens on a port, and none where nobody does', async () => {
    const { first } = ownPortRange();
    assert.equal(await programOn(first), 'another program');
    for (const host of ['127.0.0.1', '::1']) {
      const server = await occupy(first, host);
      assert.match(await programOn(first), new RegExp(`^\\S+ \\(process ${process.pid}\\)$`), host);
      await vacate(server);
    }
  });

  it('shows no name that is no plain text, and none without end', async () => {
    const proc = mkdtempSync(join(tmpdir(), 'berth-proc-'));
    try {
      mkdirSync(join(proc, 'net'));
      mkdirSync(join(proc, '42', 'fd'), { recursive: true });
      const row = '0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000 0 0 7';
      writeFileSync(join(proc, 'net', 'tcp'), ` sl  local_address\n ${row}\n`);
      symlinkSync('socket:[7]', join(proc, '42', 'fd', '3'));
      writeFileSync(join(proc, '42', 'comm'), `ev\u001b[31mil\n${'x'.repeat(500)}`);
      const said = await programOn(8080, proc);
      assert.match(said, /^ev\[31milx{32} \(process 42\)$/);
      assert.equal(await programOn(8081, proc), 'another program');
    } finally {
      rmSync(proc, { recursive: true });
    }
  });
});
