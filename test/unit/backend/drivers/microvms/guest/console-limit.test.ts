import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createWriteStream, type WriteStream } from 'node:fs';
import { readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { ConsoleLimit, ownLimits } from '../../../../../../src/backend/drivers/microvms/guest/console-limit';
import { ConsoleValve } from '../../../../../../src/backend/drivers/microvms/guest/console-valve';
import { readLogs } from '../../../../../../src/backend/drivers/microvms/guest/logs';
import { useTempFolder } from '../../../../../support/temp';
import { until } from '../../../../../support/wait';

const silent = (): void => undefined;
const log = { debug: silent, info: silent, warn: silent, error: silent };
const line = `${'x'.repeat(99)}\n`;

describe('the limit of a console log', function () {
  this.timeout(20_000);
  const temp = useTempFolder();
  let path: string;
  /** As QEMU has it open. */
  let guest: WriteStream;
  let limit: ConsoleLimit | undefined;
  let calls: string[];
  let canClose: boolean;
  const valve = {
    close: () => Promise.resolve(calls.push('close') > 0 && canClose),
    open: () => Promise.resolve(void calls.push('open')),
  };

  beforeEach(async () => {
    path = join(temp(), 'console.log');
    await writeFile(path, '');
    guest = createWriteStream(path, { flags: 'a' });
    // A test that ends sooner would take the folder away under it.
    await once(guest, 'open');
    calls = [];
    canClose = true;
  });
  afterEach(() => {
    limit?.end();
    guest.end();
  });

  function begin(limits: Partial<typeof ownLimits>): void {
    const muted = (is: boolean): void => void calls.push(is ? 'muted' : 'heard');
    limit = new ConsoleLimit({ path, valve, log, muted }, { ...ownLimits, ...limits });
  }
  const content = (): Promise<string> => readFile(path, 'utf8');

  it('keeps the end of what was said, takes what comes then, and who follows sees it', async () => {
    begin({ maxBytes: 100_000, keptBytes: 10_000 });
    const following = new AbortController();
    const options = { tail: 0, follow: true, timestamps: false, signal: following.signal };
    const stream = readLogs(path, options, new Promise(() => undefined));
    let seen = '';
    stream.on('data', (chunk: Buffer) => (seen = (seen + chunk.toString()).slice(-1000)));
    try {
      guest.write(line.repeat(2000) + 'last of many\n');
      const isShort = async () => {
        const { size } = await stat(path);
        return size > 0 && size < 11_000;
      };
      await until('it is shortened', isShort, 10_000, 50);
      guest.write('and one more\n');
      await until('that is there', async () => (await content()).includes('one more'), 5_000);
      assert.match(await content(), /^\n\[berth: [^\n]*\]\n(x{99}\n)+last of many\nand one more\n$/);
      await until('it is seen', () => seen.endsWith('and one more\n'), 5_000);
      assert.deepEqual(calls, []);
    } finally {
      following.abort();
    }
  });

  it('writes down nothing for a while of a guest that says too much, and says so, before and after', async () => {
    begin({ burstBytes: 50_000, bytesPerSecond: 1024, muteMs: 500 });
    await sleep(100);
    guest.write(line.repeat(400));
    await until('that is seen', () => stat(path).then(({ size }) => size === 40_000), 5_000);
    await sleep(1_200);
    assert.deepEqual(calls, []);
    guest.write(line.repeat(200));
    await until('it is muted', () => calls.includes('muted'), 5_000);
    assert.deepEqual(calls, ['close', 'muted']);
    assert.match(
      await content(),
      /x\n\n\[berth: the guest says more than 1 KiB a second: [^\n]* 0\.5 s\]\n$/,
    );
    await until('it is heard again', () => calls.includes('heard'), 5_000);
    assert.deepEqual(calls, ['close', 'muted', 'open', 'heard']);
    guest.write('back\n');
    await until('that is there', async () => (await content()).endsWith('left out here]\nback\n'), 5_000);
    guest.write(line.repeat(600));
    await until('it is muted again', () => calls.length === 6, 5_000);
  });

  it('limits the size alone where a console can not be muted, and what was said before does not count', async () => {
    await writeFile(path, line.repeat(2000));
    canClose = false;
    begin({ burstBytes: 50_000, bytesPerSecond: 1, maxBytes: 250_000, keptBytes: 10_000 });
    await sleep(100);
    assert.deepEqual(calls, []);
    guest.write(line.repeat(1000));
    await until('it is shortened', async () => (await stat(path)).size < 11_000, 10_000, 50);
    assert.deepEqual(calls, ['close']);
  });

  it('is lifted by QEMU, also when an earlier engine closed it', async () => {
    const said: string[] = [];
    let filename = 'null';
    const execute = (command: string, args?: object): Promise<unknown> => {
      said.push(`${command} ${JSON.stringify(args ?? {})}`);
      return Promise.resolve(command === 'query-chardev' ? [{ label: 'console', filename }] : {});
    };
    const open = `chardev-change {"id":"console","backend":{"type":"file","data":{"out":"/log","append":true}}}`;
    await new ConsoleValve({ execute }, '/log').adopt();
    assert.deepEqual(said.splice(0), ['query-chardev {}', open]);
    filename = 'file';
    const own = new ConsoleValve({ execute }, '/log');
    await own.adopt();
    assert.deepEqual(said.splice(0), ['query-chardev {}']);
    assert.equal(await own.close(), true);
    await own.open();
    assert.deepEqual(said, ['chardev-change {"id":"console","backend":{"type":"null","data":{}}}', open]);
    const refuses = new ConsoleValve({ execute: () => Promise.reject(new Error('no hotswap')) }, '/log');
    assert.equal(await refuses.close(), false);
    await refuses.open();
  });
});
