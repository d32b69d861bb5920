/** What the driver asks of its parts before it does what it is asked; the rest is for the tests with a real engine. */
import assert from 'node:assert/strict';
import { ContainerDriver } from '../../../../../src/backend/drivers/containers/driver';
import { Replacements } from '../../../../../src/backend/drivers/containers/replacement/replacements';
import { Runtimes } from '../../../../../src/backend/drivers/containers/runtime/runtimes';
import { imagesDirectory } from '../../../../../src/backend/resources';

const nothing = (): void => undefined;

describe('containers/driver: a move that could not be undone', () => {
  const replacements = Object.getOwnPropertyDescriptors(Replacements.prototype);
  const runtimes = Object.getOwnPropertyDescriptors(Runtimes.prototype);
  afterEach(() => {
    Object.defineProperties(Replacements.prototype, replacements);
    Object.defineProperties(Runtimes.prototype, runtimes);
  });

  const driver = () =>
    new ContainerDriver({
      installation: 'installation',
      imagesDirectory: imagesDirectory(),
      log: { debug: nothing, info: nothing, warn: nothing, error: nothing },
      dockerHost: () => undefined,
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
