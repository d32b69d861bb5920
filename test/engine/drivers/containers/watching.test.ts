import assert from 'node:assert/strict';
import { Readable } from 'node:stream';
import { farewell, withoutProbes } from '../../../../src/backend/inside/probe-lines';
import type { DriverEvent, RuntimePlan } from '../../../../src/backend/drivers/driver';
import { fastest } from '../../../support/fastest';
import { Bench, eventually, never, text } from './support';

describe('what a container tells', function () {
  this.timeout(120_000);
  let bench: Bench;
  let plan: RuntimePlan;
  before(async () => {
    bench = await Bench.open();
    plan = await bench.running({ limits: { memoryMiB: 512 } });
  });
  after(() => bench.dispose());

  it('events: each state once, without the noise of our own calls', async () => {
    const seen: DriverEvent[] = [];
    const end = bench.driver.watch((event) => seen.push(event));
    try {
      await eventually('the connection', () => seen.some((event) => event.type === 'connection' && event.up));
      const other = await bench.running();
      await bench.exec(other.name, { argv: ['true'] });
      await bench.driver.pause(other.name);
      await bench.driver.resume(other.name);
      await bench.driver.stop(other.name, 5000);
      await bench.driver.remove(other.name);
      await bench.driver.volumes.remove(other.homeVolume);
      const mine = (): string[] =>
        seen.flatMap((event) => {
          if (event.type === 'runtime' && event.name === other.name) {
            assert.equal(event.workspace, other.workspace);
            return [event.what];
          }
          return event.type === 'volume' && event.name === other.homeVolume ? [`volume ${event.what}`] : [];
        });
      await eventually('the last event', () => mine().includes('volume removed'));
      assert.deepEqual(
        [...new Set(mine())],
        [
          'volume created',
          'created',
          'volume attached',
          'started',
          'paused',
          'resumed',
          'stopped',
          'volume detached',
          'removed',
          'volume removed',
        ].filter((what) => mine().includes(what)),
      );
      for (const what of ['created', 'started', 'paused', 'resumed', 'stopped', 'removed']) {
        assert.equal(mine().filter((one) => one === what).length, 1, what);
      }
      assert.ok(!seen.some((event) => event.type === 'volume' && event.name.startsWith('berth-tools')));
    } finally {
      end();
    }
  });

  it('events end when nobody watches any more', async () => {
    const seen: DriverEvent[] = [];
    const end = bench.driver.watch((event) => seen.push(event));
    await eventually('the connection', () => seen.length > 0);
    end();
    const before = seen.length;
    await bench.driver.create(await bench.plan(), never());
    assert.equal(seen.length, before);
  });

  it('logs: text of both streams, tail, follow, and an end by abort', async () => {
    const options = { tail: 100, follow: false, timestamps: false, signal: never() };
    await bench.ssh(plan, 'true');
    const all = await text(await bench.driver.logs(plan.name, options));
    assert.match(all, /berth: configured 0\n/);
    assert.match(all, /Server listening on 0\.0\.0\.0 port 22/);
    assert.doesNotMatch(all, /\0/);
    // The question whether SSH answers has ended as a client does: sshd writes it down in words that are taken out.
    assert.match(all, new RegExp(`Received disconnect from .*${farewell} \\[preauth\\]`));
    const shown = await text(withoutProbes(Readable.from([Buffer.from(all)])));
    assert.doesNotMatch(shown, /kex_exchange_identification|Connection closed by|isconnect.*\[preauth\]/);
    assert.match(shown, /Accepted publickey for workspace/);
    const last = await text(await bench.driver.logs(plan.name, { ...options, tail: 1, timestamps: true }));
    assert.match(last, /^\d{4}-\d\d-\d\dT[^\n]+\n$/);
    const abort = new AbortController();
    const following = await bench.driver.logs(plan.name, {
      ...options,
      tail: 0,
      follow: true,
      signal: abort.signal,
    });
    let seen = '';
    following.on('data', (chunk: Buffer) => (seen += chunk.toString()));
    const ended = new Promise((done) => following.once('end', done).once('close', done));
    await bench.ssh(plan, 'true');
    await eventually('a new line', () => seen.includes('Accepted publickey for workspace'));
    abort.abort();
    await ended;
    await assert.rejects(bench.driver.logs('workspace-no-such', options), { code: 'not_found' });
  });

  it('figures: CPU of a busy program, memory, processes; quick when asked again', async () => {
    const busy = await bench.driver.exec(plan.name, {
      argv: ['sh', '-c', 'while :; do :; done'],
      user: 'workspace',
    });
    try {
      const first = await bench.driver.stats(plan.name);
      assert.equal(first.memoryLimitBytes, 512 * 1024 * 1024);
      assert.ok(
        first.memoryBytes > 0 && first.memoryBytes < 200 * 1024 * 1024,
        `memory ${first.memoryBytes}`,
      );
      assert.ok(first.pids >= 4, `pids ${first.pids}`);
      assert.ok(first.networkRxBytes > 0);
      await eventually(
        'a busy CPU',
        async () => (await bench.driver.stats(plan.name)).cpuPercent > 20,
        15_000,
      );
      assert.ok((await bench.driver.stats(plan.name)).cpuPercent < 150);
      const ms = await fastest(5, () => bench.driver.stats(plan.name));
      assert.ok(ms < 50, `took ${ms} ms`);
    } finally {
      await busy.kill();
    }
    const stopped = await bench.plan();
    await bench.driver.create(stopped, never());
    await assert.rejects(bench.driver.stats(stopped.name), { code: 'illegal_state' });
  });

  it('status: product and place', async () => {
    const status = await bench.driver.status();
    assert.equal(status.available, true);
    assert.match(status.product ?? '', /^(Docker|Podman) \d+/);
    assert.match(status.endpoint ?? '', /^unix:/);
  });
});
