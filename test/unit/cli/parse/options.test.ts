import assert from 'node:assert/strict';
import { InvalidArgumentError } from 'commander';
import { BerthError } from '../../../../src/api';
import {
  collect,
  collectEnv,
  collectPorts,
  parseSize,
  parseNetwork,
  parseNumber,
  parseRuntime,
  parseWhole,
  secretName,
} from '../../../../src/cli/parse/options';

describe('cli/parse/options', () => {
  it('reads sizes as MiB', () => {
    const sizes = ['512', '512m', '512M', '512MiB', '512mb', '2g', '1.5GiB', '2048k', '1t'];
    assert.deepEqual(sizes.map(parseSize), [512, 512, 512, 512, 512, 2048, 1536, 2, 1_048_576]);
  });

  for (const bad of ['', 'abc', '-1', '0', '1x', '1 g b', '1k', '0.2m', '1e3', 'm']) {
    it(`refuses the size "${bad}"`, () => {
      assert.throws(() => parseSize(bad), InvalidArgumentError);
    });
  }

  it('reads numbers strictly', () => {
    assert.equal(parseNumber('1.5'), 1.5);
    assert.equal(parseWhole('12'), 12);
    for (const bad of ['', ' ', '-1', 'x', 'NaN', 'Infinity']) {
      assert.throws(() => parseNumber(bad), InvalidArgumentError, bad);
    }
    assert.throws(() => parseWhole('1.5'), InvalidArgumentError);
  });

  it('collects what is given several times', () => {
    assert.deepEqual(collect('b', collect('a', undefined)), ['a', 'b']);
  });

  it('collects variables, of this environment when only named', () => {
    process.env.BERTH_TEST_VALUE = 'from here';
    try {
      const env = collectEnv('BERTH_TEST_VALUE', collectEnv('A=b=c', collectEnv('EMPTY=', undefined)));
      assert.deepEqual(env, { EMPTY: '', A: 'b=c', BERTH_TEST_VALUE: 'from here' });
    } finally {
      delete process.env.BERTH_TEST_VALUE;
    }
    assert.throws(() => collectEnv('BERTH_TEST_VALUE', undefined), /not set here/);
    assert.throws(() => collectEnv('1A=x', undefined), InvalidArgumentError);
  });

  it('takes the name of a secret, never its value, and does not repeat the value', () => {
    assert.deepEqual(secretName('TOKEN'), 'TOKEN');
    assert.throws(
      () => secretName('TOKEN=hunter2'),
      (error: Error) => error instanceof BerthError && !error.message.includes('hunter2'),
    );
  });

  it('knows the runtimes', () => {
    assert.equal(parseRuntime('microvm'), 'microvm');
    assert.throws(() => parseRuntime('jail'), InvalidArgumentError);
  });
});

describe('cli/parse/options: ports and network', () => {
  it('reads a port inside, alone or after the one of this machine', () => {
    assert.deepEqual(collectPorts('8080', undefined), [{ guest: 8080 }]);
    assert.deepEqual(collectPorts('18080:80', [{ guest: 8080 }]), [
      { guest: 8080 },
      { host: 18080, guest: 80 },
    ]);
  });

  it('reads whether there is a network', () => {
    const words = ['on', 'off', 'none', 'host-loopback'];
    assert.deepEqual(words.map(parseNetwork), ['on', 'off', 'off', 'host-loopback']);
    assert.throws(() => parseNetwork('host'), InvalidArgumentError);
  });

  it('refuses what is none', () => {
    for (const text of ['', 'x', '0', '65536', '1:2:3', '127.0.0.1:80', ':80', '80:', '-1', '8.5']) {
      assert.throws(() => collectPorts(text, undefined), InvalidArgumentError, text);
    }
  });
});
