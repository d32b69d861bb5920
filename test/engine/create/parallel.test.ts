import assert from 'node:assert/strict';
import { itLeavesNothing, useEngineHarness } from '../../support/engine/engine-harness';
import { column, describeMostlyOfEngine, testTimeoutMs } from '../../support/runtimes/columns';

/** As many as a machine does at once without waiting long. */
const count = column === 'microvm' ? 3 : 10;

describeMostlyOfEngine('create: many at once', function () {
  this.timeout(testTimeoutMs);
  const harness = useEngineHarness();

  it('all run, each on a port of its own, and answer SSH', async () => {
    const started = Date.now();
    const all = await Promise.all(Array.from({ length: count }, () => harness().create()));
    const createdMs = Date.now() - started;
    assert.deepEqual(new Set(all.map(({ state }) => state)), new Set(['running']));
    const { first } = harness().ports;
    const ports = all.map(({ sshPort }) => sshPort).sort((a, b) => a - b);
    assert.deepEqual(
      ports,
      Array.from({ length: count }, (_, index) => first + index),
      'the lowest free ones',
    );
    const names = await Promise.all(all.map(({ name }) => harness().ssh(name, ['echo', name])));
    assert.deepEqual(
      names,
      all.map(({ name }) => name),
    );
    console.log(
      `      ${count} creates ${createdMs} ms, then as many logins ${Date.now() - started - createdMs} ms`,
    );
  });

  it('stop and are deleted at once as well', async () => {
    const names = (await harness().client.call('workspaces.list', {})).map(({ name }) => name);
    await Promise.all(names.map((name) => harness().delete(name)));
    assert.deepEqual(await harness().client.call('workspaces.list', {}), []);
  });

  itLeavesNothing(harness);
});
