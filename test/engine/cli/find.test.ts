/** `berth find`, the built program, in a workspace that runs and in the same one stopped. */
import assert from 'node:assert/strict';
import { Berth } from './harness';

const many = 10_000;

describe('berth find: what is in a workspace, whether it runs or not', function () {
  this.timeout(180_000);
  const berth = new Berth();
  const name = `${berth.prefix}-find`;

  before(async () => {
    await berth.ok('create', name);
    const script = [
      'mkdir -p src many node_modules',
      'printf \'import os\\nprint("needle")\\n\' >src/main.py',
      "printf 'needle\\n' >node_modules/dep.js",
      "printf 'needle\\n' >'src/$(id) odd.txt'",
      `seq -f many/file-%.0f ${many} | xargs touch`,
    ].join('; ');
    await berth.ok('exec', name, '--', 'sh', '-c', script);
  });
  after(async () => {
    await berth.run(['delete', name, '--yes']);
    await berth.dispose();
  });

  for (const state of ['running', 'stopped'] as const) {
    it(`${state}: prints lines as grep does, and files by their names`, async () => {
      if (state === 'stopped') {
        await berth.ok('stop', name);
      }
      const lines = await berth.ok('find', name, '--text', 'NEEDLE', '--exclude', 'node_modules');
      assert.deepEqual(lines.trim().split('\n').sort(), [
        `${name}:src/$(id) odd.txt:1:needle`,
        `${name}:src/main.py:2:print("needle")`,
      ]);
      const files = await berth.ok('find', `${name}:src`, '--include', '*.py');
      assert.equal(files, `${name}:src/main.py\n`);
      const ends = (await berth.ok('find', `${name}:src`, '--text', 'needle', '--json')).trim().split('\n');
      assert.equal((JSON.parse(ends.at(-1) ?? '') as { end: { found: number } }).end.found, 2);
      const none = await berth.run(['find', name, '--text', 'not anywhere']);
      assert.deepEqual([none.code, none.stdout], [1, '']);
    });

    it(`${state}: has ${many} files in about a second`, async () => {
      const times: number[] = [];
      for (let round = 0; round < 3; round += 1) {
        const begun = performance.now();
        const files = await berth.ok('find', `${name}:many`);
        times.push(Math.round(performance.now() - begun));
        assert.equal(files.trim().split('\n').length, many);
      }
      console.log(`        ${many} files, ${state}: ${times.join(', ')} ms with the start of the program`);
    });
  }
});
