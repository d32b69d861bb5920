import assert from 'node:assert/strict';
import { PassThrough } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { typeEndOfInput } from '../../../../src/backend/server/terminal-input';

describe('server/terminal-input', () => {
  const typed = (stdin: PassThrough): string =>
    ((stdin.read() as Buffer | null) ?? Buffer.alloc(0)).toString();

  it('types the end of input again while the process runs, each time later', async () => {
    const stdin = new PassThrough();
    let end = (_: number): void => undefined;
    const exit = new Promise<number>((resolve) => (end = resolve));
    typeEndOfInput({ stdin, exit });
    assert.equal(typed(stdin), '\u0004');
    await sleep(400);
    assert.equal(typed(stdin), '\u0015\u0004', 'on an empty line');
    await sleep(500);
    assert.equal(typed(stdin), '\u0015\u0004', 'on an empty line');
    end(0);
    await sleep(1_100);
    assert.equal(typed(stdin), '');
  });

  it('writes nothing to what is gone', async () => {
    const stdin = new PassThrough();
    stdin.destroy();
    typeEndOfInput({ stdin, exit: new Promise(() => undefined) });
    await sleep(300);
  });
});
