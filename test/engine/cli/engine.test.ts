import assert from 'node:assert/strict';
import { Berth, finished } from './harness';

interface Status {
  running: boolean;
  pid?: number;
  home?: string;
}

describe('berth up, down, status, doctor', function () {
  this.timeout(120_000);
  const berth = new Berth();
  after(() => berth.dispose());

  it('starts one engine for ten that come at once, and ends it', async () => {
    const lists = await Promise.all(Array.from({ length: 10 }, () => berth.json<unknown[]>('list')));
    assert.deepEqual(lists, Array(10).fill([]));
    const { pid, home } = await berth.json<Status>('status');
    assert.equal(home, berth.home);
    assert.equal((await berth.json<Status>('up')).pid, pid);
    assert.deepEqual(await berth.json('down'), { stopped: true });
    assert.deepEqual(await berth.json('status'), { running: false });
    assert.deepEqual(await berth.json('down'), { stopped: false });
  });

  it('describes the engine in words', async () => {
    assert.match(await berth.ok('up'), /engine +\d+\.\d+\.\d+, pid \d+[^]*container +Docker/);
    assert.match(await berth.ok('status'), /ssh ports +2200-2400/);
  });

  it('checks the machine', async () => {
    const { code, stdout } = await berth.run(['doctor', '--json']);
    const report = JSON.parse(stdout) as { ok: boolean; checks: { title: string; outcome: string }[] };
    assert.equal(code, report.ok ? 0 : 1);
    assert.ok(report.checks.length > 2);
    assert.match((await berth.run(['doctor'])).stdout, /✓ /);
  });

  it('tells at once when the engine can not start, with its last words', async () => {
    const broken = new Berth();
    try {
      const { code, stderr } = await broken.run(['list'], {
        env: { BERTH_ENGINE_PATH: '/nonexistent/engine.js' },
      });
      assert.equal(code, 1);
      assert.match(stderr, /^error: The Berth engine could not start\.[^]*nonexistent[^]*\nhint: /);
    } finally {
      await broken.dispose();
    }
  });

  /** Makes and removes a volume until enough was told: nobody knows when the other process begins to listen. */
  async function stirUntil(isEnough: () => boolean): Promise<void> {
    const name = `${berth.prefix}-event`;
    for (let round = 0; round < 30 && !isEnough(); round += 1) {
      await berth.ok('volume', 'create', name);
      await berth.ok('volume', 'delete', name, '--yes');
    }
  }

  it('survives a reader that goes away', async () => {
    const child = berth.spawn(['events', '--json']);
    child.stdout.destroy();
    const ended = finished(child, 'berth events');
    await stirUntil(() => child.exitCode !== null);
    const { code, stderr } = await ended;
    assert.deepEqual({ code, stderr }, { code: 0, stderr: '' });
  });

  it('follows events until Ctrl-C', async () => {
    const child = berth.spawn(['events']);
    const ended = finished(child, 'berth events');
    let told = '';
    child.stdout.on('data', (chunk: Buffer) => (told += chunk.toString()));
    const expected = new RegExp(`volume ${berth.prefix}-event changed`);
    await stirUntil(() => expected.test(told));
    child.kill('SIGINT');
    const { stdout, code } = await ended;
    assert.equal(code, 0);
    assert.match(stdout, expected);
  });

  it('lists operations, newest first', async () => {
    const operations = await berth.json<{ id: string }[]>('operations');
    assert.ok(Array.isArray(operations));
    assert.ok((await berth.ok('operations', '--running')).length > 0);
  });
});
