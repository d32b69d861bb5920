import assert from 'node:assert/strict';
import { chmod, mkdir, readFile, rm, stat, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { runWithKeptCode } from '../../../src/backend/kept-code';
import { until } from '../../support/wait';
import { useTempFolder } from '../../support/temp';

const bundle = (answer: string) => `
  const { basename } = require('node:path');
  function far(text) { return [text, basename(__filename), basename(__dirname).length > 0]; }
  module.exports = { ask: () => far('${answer}') };
`;

describe('backend/kept-code', () => {
  const folder = useTempFolder();
  const path = () => join(folder(), 'bundle.js');
  const code = () => join(folder(), 'bundle.code');

  /** What the bundle answers, and whether its code had been kept. */
  function run(): [unknown, boolean] {
    const { exports, wasKept } = runWithKeptCode(path(), code(), undefined, 0);
    const { ask } = exports as { ask: () => unknown };
    return [ask(), wasKept];
  }

  const digest = async () => (await readFile(code()).catch(() => Buffer.alloc(0))).toString('base64');

  /** Runs the bundle, and waits until its code is another than it was. */
  async function runAndKeep(): Promise<[unknown, boolean]> {
    const old = await digest();
    const ran = run();
    await until('the code is kept', async () => (await digest()) !== old);
    return ran;
  }

  const answer = (text: string) => [text, 'bundle.js', true];

  beforeEach(() => writeFile(path(), bundle('one')));

  it('runs a bundle as Node does, and again with the code of the first time', async () => {
    assert.deepEqual(await runAndKeep(), [answer('one'), false]);
    assert.equal((await stat(code())).mode & 0o777, 0o600);
    assert.deepEqual(run(), [answer('one'), true]);
  });

  it('compiles anew what was built anew, also where it is as long as before', async () => {
    await runAndKeep();
    await writeFile(path(), bundle('two'));
    assert.deepEqual(await runAndKeep(), [answer('two'), false]);
    assert.deepEqual(run(), [answer('two'), true]);
  });

  it('neither takes code that is damaged, cut off, empty or something else, nor keeps it', async () => {
    await runAndKeep();
    const whole = await readFile(code());
    const flipped = (at: number) => {
      const content = Buffer.from(whole);
      content[at]! ^= 1;
      return writeFile(code(), content);
    };
    const damages = [
      () => flipped(0),
      () => flipped(64),
      () => flipped(whole.length - 1),
      () => flipped(Math.floor(whole.length / 2)),
      () => truncate(code(), whole.length - 8),
      () => truncate(code(), 10),
      () => truncate(code()),
      () =>
        writeFile(code(), 'something else, longer than a digest of 64 bytes, which is what there is first'),
    ];
    for (const damage of damages) {
      await damage();
      assert.deepEqual(await runAndKeep(), [answer('one'), false], damage.toString());
      assert.deepEqual(run(), [answer('one'), true], damage.toString());
    }
  });

  it('says when the start is over, whether the code was kept or not', async () => {
    for (const wasKept of [false, true]) {
      let settled = false;
      const ran = runWithKeptCode(path(), code(), () => (settled = true), 0);
      assert.deepEqual([ran.wasKept, settled], [wasKept, false]);
      await until('the start is over', () => settled);
      await until('the code is kept', async () => (await digest()) !== '');
    }
  });

  it('does not take code that others may write to', async function () {
    if (process.platform === 'win32') this.skip();
    await runAndKeep();
    await chmod(code(), 0o666);
    assert.deepEqual(run(), [answer('one'), false]);
  });

  it('runs the bundle where no code can be kept', async () => {
    await mkdir(code());
    assert.deepEqual(run(), [answer('one'), false]);
    await rm(code(), { recursive: true });
    const { wasKept } = runWithKeptCode(path(), join(folder(), 'no-such-folder', 'code'), undefined, 0);
    assert(!wasKept);
  });
});
