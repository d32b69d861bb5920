import assert from 'node:assert/strict';
import { PassThrough } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { typeEndOfInput } from '../../../../src/backend/server/terminal-input';

describe('server/terminal-input', () => {
  const typed = (stdin: PassThrough): number => ((stdin.read() as Buffer | null) ?? Buffer.alloc(0)).length;

  it('types the end of input again while the process runs, each time later', async () => {
    const stdin = new PassThrough();
    let end = (_: number): void => undefined;
    const exit = new Promise<number>((resolve) => (end = resolve));
    typeEndOfInput({ stdin, exit });
    assert.equal(typed(stdin), 1);
    await sleep(400);
    assert.equal(typed(stdin), 1);
    await sleep(500);
    assert.equal(typed(stdin), 1);
    end(0);
    await sleep(1_100);
    assert.equal(typed(stdin), 0);
  });

  it('writes nothing to what is gone', async () => {
    const stdin = new PassThrough();
    stdin.destroy();
    typeEndOfInput({ stdin, exit: new Promise(() => undefined) });
    await sleep(300);
  });
});
