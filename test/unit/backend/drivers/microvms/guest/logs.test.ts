import assert from 'node:assert/strict';
import { appendFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { readLogs } from '../../../../../../src/backend/drivers/microvms/guest/logs';
import { useTempFolder } from '../../../../../support/temp';
import { until } from '../../../../../support/wait';

async function text(stream: Readable): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) {
    chunks.push(chunk as Buffer);
  }
  return Buffer.concat(chunks).toString();
}

describe('the log of a console', () => {
  const folder = useTempFolder();
  const path = (): string => join(folder(), 'console.log');
  const options = (changes: object = {}) => ({
    ...{ tail: 100, follow: false, timestamps: false, signal: new AbortController().signal },
    ...changes,
  });
  const never = new Promise<void>(() => undefined);

  it('is its last lines, with plain ends', async () => {
    await writeFile(path(), 'one\r\ntwo\r\nthree\r\n');
    assert.equal(await text(readLogs(path(), options({ tail: 2 }), never)), 'two\nthree\n');
    assert.equal(await text(readLogs(path(), options(), never)), 'one\ntwo\nthree\n');
    assert.equal(await text(readLogs(path(), options({ tail: 0 }), never)), '');
  });

  it('finds the last lines far behind the first', async () => {
    const lines = Array.from({ length: 20_000 }, (_, index) => `line ${index} ${'x'.repeat(20)}`);
    await writeFile(path(), `${lines.join('\n')}\nopen end`);
    const tail = await text(readLogs(path(), options({ tail: 5_001 }), never));
    assert.equal(tail, [...lines.slice(-5_000), 'open end'].join('\n'));
  });

  it('is empty where nothing was logged', async () => {
    assert.equal(await text(readLogs(path(), options(), never)), '');
  });

  it('is followed until the machine ends, to its last word', async () => {
    await writeFile(path(), 'before\n');
    let end = (): void => undefined;
    const ended = new Promise<void>((resolve) => (end = resolve));
    const stream = readLogs(path(), options({ follow: true }), ended);
    let seen = '';
    stream.on('data', (chunk: Buffer) => (seen += chunk.toString()));
    const closed = new Promise((resolve) => stream.once('end', resolve));
    await until('the beginning came', () => seen === 'before\n');
    await appendFile(path(), 'then\n');
    await until('what was added came', () => seen === 'before\nthen\n');
    await appendFile(path(), 'last\n');
    end();
    await closed;
    assert.equal(seen, 'before\nthen\nlast\n');
  });

  it('ends when it is aborted', async () => {
    await writeFile(path(), 'before\n');
    const abort = new AbortController();
    const reading = text(readLogs(path(), options({ follow: true, signal: abort.signal }), never));
    abort.abort();
    assert.equal(await reading, 'before\n');
  });
});
