/** What the driver asks of its parts before it does what it is asked; the rest is for the tests with a real engine. */
import assert from 'node:assert/strict';
import { ContainerDriver } from '../../../../../src/backend/drivers/containers/driver';
import { reasonOf } from '../../../../../src/backend/drivers/containers/engine/docker-errors';
import { Replacements } from '../../../../../src/backend/drivers/containers/replacement/replacements';
import { Runtimes } from '../../../../../src/backend/drivers/containers/runtime/runtimes';
import { imagesDirectory } from '../../../../../src/backend/resources';

const nothing = (): void => undefined;

const driver = (dockerHost?: string) =>
  new ContainerDriver({
    installation: 'installation',
    imagesDirectory: imagesDirectory(),
    log: { debug: nothing, info: nothing, warn: nothing, error: nothing },
    dockerHost: () => dockerHost,
  });

describe('containers/driver: no engine', () => {
  for (const [host, reason] of [
    ['unix:///nothing/there.sock', 'nothing is there'],
    ['tcp://127.0.0.1:1', 'nothing listens there'],
  ] as const) {
    it(`names the place where it was looked for in a field of its own: ${host}`, async () => {
      const { available, endpoint, message } = await driver(host).status();
      assert.deepEqual([available, endpoint], [false, host]);
      assert.equal(message, `No container engine answers. ${host} (the setting dockerHost): ${reason}.`);
    });
  }
});

describe('containers/driver: an address whose engine can not be trusted', () => {
  it('is said in words, with those of the library for who asks', () => {
    const code = 'SELF_SIGNED_CERT_IN_CHAIN';
    const error = Object.assign(new Error('self-signed certificate in certificate chain'), { code });
    assert.equal(reasonOf(error), 'its certificate, or ours, is not accepted');
    assert.equal(reasonOf(new Error('Parse Error: Expected HTTP/')), 'what is there is no container engine');
  });
});

describe('containers/driver: a move that could not be undone', () => {
  const replacements = Object.getOwnPropertyDescriptors(Replacements.prototype);
  const runtimes = Object.getOwnPropertyDescriptors(Runtimes.prototype);
  afterEach(() => {
    Object.defineProperties(Replacements.prototype, replacements);
    Object.defineProperties(Runtimes.prototype, runtimes);
  });

  it('refuses a start, and allows a look, while it still can not be', async () => {
    const calls: string[] = [];
    const refuse = (what: string) => (name: string) => {
      calls.push(`${what} ${name}`);
      return Promise.reject(new Error('no answer'));
    };
    Replacements.prototype.settle = refuse('settle');
    Replacements.prototype.healUnfinished = refuse('heal');
    Replacements.prototype.heal = () => Promise.resolve(false);
    Runtimes.prototype.start = refuse('start');
    Runtimes.prototype.inspect = () => Promise.resolve(undefined);
    await assert.rejects(driver().start('w'), /no answer/);
    assert.equal(await driver().inspect('w'), undefined);
    assert.deepEqual(calls, ['settle w', 'heal w']);
  });
});
