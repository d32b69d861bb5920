import assert from 'node:assert/strict';
import { createWriteStream } from 'node:fs';
import { readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { limitConsole } from '../../../../../../src/backend/drivers/microvms/console-limit';
import { readLogs } from '../../../../../../src/backend/drivers/microvms/logs';
import { useTempFolder } from '../../../../../support/temp';
import { until } from '../../../../../support/wait';

const silent = (): void => undefined;
const log = { debug: silent, info: silent, warn: silent, error: silent };

describe('the limit of a console log', function () {
  this.timeout(20_000);
  const temp = useTempFolder();

  it('keeps the end of what was said, takes what comes then, and who follows sees it', async () => {
    const path = join(temp(), 'console.log');
    await writeFile(path, '');
    const end = limitConsole(path, log, { maxBytes: 100_000, keptBytes: 10_000 });
    const following = new AbortController();
    const options = { tail: 0, follow: true, timestamps: false, signal: following.signal };
    const stream = readLogs(path, options, new Promise(() => undefined));
    let seen = '';
    stream.on('data', (chunk: Buffer) => (seen = (seen + chunk.toString()).slice(-1000)));
    // As QEMU has it open.
    const guest = createWriteStream(path, { flags: 'a' });
    try {
      const line = `${'x'.repeat(99)}\n`;
      guest.write(line.repeat(2000) + 'last of many\n');
      const isShort = async () => {
        const { size } = await stat(path);
        return size > 0 && size < 11_000;
      };
      await until('it is shortened', isShort, 10_000, 50);
      guest.write('and one more\n');
      await until('that is there', async () => (await readFile(path, 'utf8')).includes('one more'), 5_000);
      assert.match(
        await readFile(path, 'utf8'),
        /^\[berth: [^\n]*\]\n(x{99}\n)+last of many\nand one more\n$/,
      );
      await until('it is seen', () => seen.endsWith('and one more\n'), 5_000);
    } finally {
      end();
      following.abort();
      guest.end();
    }
  });
});
