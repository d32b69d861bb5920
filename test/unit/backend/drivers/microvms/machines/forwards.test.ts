import assert from 'node:assert/strict';
import { changeForwards } from '../../../../../../src/backend/drivers/microvms/machines/forwards';
import { failure } from '../../../../../support/errors';

/** What QEMU's monitor does with its rules, and says. */
class Monitor {
  readonly rules = new Map<number, string>();
  readonly others = new Set<number>();

  human(line: string): Promise<string> {
    const [verb, network, rule = ''] = line.split(' ');
    assert.equal(network, 'net');
    const [, host = '0'] = /^tcp:127\.0\.0\.1:(\d+)/.exec(rule) ?? [];
    const port = Number(host);
    if (verb === 'hostfwd_remove') {
      return Promise.resolve(
        `host forwarding rule for ${rule} ${this.rules.delete(port) ? 'removed' : 'not found'}`,
      );
    }
    if (this.rules.has(port) || this.others.has(port)) {
      return Promise.resolve(`Could not set up host forwarding rule '${rule}'\r\n`);
    }
    this.rules.set(port, rule);
    return Promise.resolve('');
  }
}

describe('ports of a machine that runs', () => {
  it('are added and taken away, the others left alone', async () => {
    const monitor = new Monitor();
    const first = [
      { host: 18080, guest: 8080 },
      { host: 19090, guest: 9090 },
    ];
    await changeForwards(monitor, [], first);
    assert.equal(monitor.rules.get(18080), 'tcp:127.0.0.1:18080-10.0.2.15:8080');
    await changeForwards(monitor, first, [
      { host: 19090, guest: 9090 },
      { host: 18080, guest: 80 },
    ]);
    assert.deepEqual([...monitor.rules.keys()].sort(), [18080, 19090]);
    assert.equal(monitor.rules.get(18080), 'tcp:127.0.0.1:18080-10.0.2.15:80');
  });

  it('are as before when one of them is taken, which is said', async () => {
    const monitor = new Monitor();
    const before = [{ host: 18080, guest: 8080 }];
    await changeForwards(monitor, [], before);
    monitor.others.add(18082);
    const wanted = [
      { host: 18081, guest: 1 },
      { host: 18082, guest: 2 },
    ];
    const error = await failure(changeForwards(monitor, before, wanted), 'in_use');
    assert.equal(error.field, 'ports');
    assert.match(error.message, /18082/);
    assert.deepEqual([...monitor.rules.keys()], [18080]);
  });
});
