import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { splitImage } from '../../../../../src/cli/verbs/workspace/run';
import { useCli } from '../../../../support/engine/cli-engine';

describe('cli: run', () => {
  const { start } = useCli();

  it('takes the image before the dashes, or as an option, once', () => {
    assert.deepEqual(splitImage(['ls', '-l'], undefined, undefined), {
      argv: ['ls', '-l'],
      image: undefined,
    });
    assert.deepEqual(splitImage(['ls'], 1, 'debian:12'), { argv: ['ls'], image: 'debian:12' });
    assert.deepEqual(splitImage(['debian:12', 'ls', '-l'], 2, undefined), {
      ...{ argv: ['ls', '-l'], image: 'debian:12' },
    });
    assert.throws(() => splitImage(['a', 'b', 'ls'], 1, undefined), /Only one image/);
    assert.throws(() => splitImage(['a', 'ls'], 1, 'b'), /Only one image/);
    assert.throws(() => splitImage(['a'], 0, undefined), /no command/);
  });

  it('makes nothing for outputs that could not be copied', async () => {
    const test = await start();
    const { home } = test.state;
    await writeFile(join(home, 'file'), '');
    const bad: [string, RegExp][] = [
      ['out', /not LOCAL=PATH/],
      ['out=', /not LOCAL=PATH/],
      ['out=/', /whole volume/],
      ['out=~', /whole volume/],
      ['out=/home/workspace/x/..', /whole volume/],
      ['out=/data/', /whole volume/],
      ['file/out=/tmp/x', /is not a folder|can't be written/],
      ['file/deeper/out=/tmp/x', /can't be written/],
    ];
    for (const [output, message] of bad) {
      const words = ['run', '--json', '-v', 'data:/data:ro', '--output', output, '--', 'true'];
      const { code, stderr } = await test.berth(words);
      assert.equal(code, 2, `${output}: ${stderr}`);
      assert.match(stderr, message);
      assert.match(stderr, /"field":\s*"output"/);
    }
    assert.deepEqual(test.services.operations.list(), []);
  });

  it('makes nothing for two outputs in one place', async () => {
    const test = await start();
    const words = ['run', '--output', 'out=/tmp/a', '--output', './out=/tmp/b', '--', 'true'];
    const { code, stderr } = await test.berth(words);
    assert.deepEqual([code, /Two outputs would both be/.test(stderr)], [2, true], stderr);
    assert.deepEqual(test.services.operations.list(), []);
  });

  it('makes what other tools of the field make of the same words', async () => {
    const test = await start();
    test.driver.commands.set('true', {});
    test.driver.features = { ...test.driver.features, portsWithoutNetwork: true };
    const words = ['--expose', '8080', '-p', '18080:80', '--network', 'none', '-n'];
    const { code, stderr } = await test.berth([
      'run',
      'debian:12',
      '-v',
      'data:/data',
      ...words,
      '--',
      'true',
    ]);
    assert.equal(code, 0, stderr);
    const [plan] = test.driver.plans.values();
    assert(plan !== undefined);
    assert.equal(plan.image, 'debian:12');
    assert.deepEqual([plan.network, plan.mounts[0]?.target], ['off', '/data']);
    assert.deepEqual(plan.ports?.map(({ guest }) => guest).sort(), [80, 8080]);
    assert.deepEqual(test.services.workspaces.list(), []);
  });
});
