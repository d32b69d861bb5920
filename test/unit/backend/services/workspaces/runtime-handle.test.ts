import assert from 'node:assert/strict';
import { Drivers } from '../../../../../src/backend/services/engine/drivers';
import { Runtimes, runtimeOn } from '../../../../../src/backend/services/workspaces/runtime-handle';
import { failure } from '../../../../support/errors';
import { FakeDriver } from '../../../../support/fakes/fake-driver';

describe('services/workspaces/runtime-handle', () => {
  const spec = { runtime: 'container', image: 'workspace:latest' } as const;

  it('is the runtime of a record: the driver of its kind, under a name that callers do not make', async () => {
    const driver = new FakeDriver();
    const runtime = new Runtimes(new Drivers([driver])).of({ name: 'demo', spec });
    assert.equal(runtime.driver, driver);
    assert.equal(runtime.name, runtimeOn(driver, 'demo').name);
    assert.equal(await runtime.inspect(), undefined);
    await runtime.remove();
    assert.deepEqual(driver.calls.slice(-1), [`remove ${runtime.name}`]);
  });

  it('is not to be had where this engine has no such driver', async () => {
    const runtimes = new Runtimes(new Drivers([new FakeDriver()]));
    const other = { name: 'demo', spec: { ...spec, runtime: 'microvm' } } as const;
    const error = await failure(() => runtimes.of(other), 'not_supported');
    assert.equal(error.hint, 'Use container.');
  });
});
