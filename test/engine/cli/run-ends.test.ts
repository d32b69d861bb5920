/** `berth run` leaves nothing behind, however it is ended. */
import assert from 'node:assert/strict';
import type { ChildProcessWithoutNullStreams } from 'node:child_process';
import { once } from 'node:events';
import { until } from '../../support/wait';
import { Berth, docker } from './harness';

interface Running {
  child: ChildProcessWithoutNullStreams;
  /** Of its workspace. */
  name: string;
  /** All that it has written so far. */
  said: () => string;
}

describe('berth run that is ended', function () {
  this.timeout(120_000);
  const berth = new Berth();
  const untilUp = ['--', 'sh', '-c', 'echo up; exec sleep 600'];
  after(() => berth.dispose());

  /** A run whose command is at work. */
  async function started(child: ChildProcessWithoutNullStreams, sign = /^up/m): Promise<Running> {
    let text = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream.on('data', (chunk: Buffer) => (text += chunk.toString()));
    }
    child.stdin.on('error', () => undefined);
    await until('it runs', () => sign.test(text), 60_000);
    const [workspace] = await berth.engine.call('workspaces.list', {});
    assert(workspace !== undefined, text);
    return { child, name: workspace.name, said: () => text };
  }

  async function end({ child }: Running, signal: NodeJS.Signals): Promise<unknown[]> {
    const closed = once(child, 'close');
    child.kill(signal);
    return closed;
  }

  /** Workspaces, containers and volumes of that name. */
  async function left(name: string): Promise<string[]> {
    const workspaces = await berth.engine.call('workspaces.list', {});
    const containers = await docker.listContainers({ all: true });
    const { Volumes } = await docker.listVolumes();
    return [
      ...workspaces.map((workspace) => workspace.name),
      ...containers.flatMap(({ Names }) => Names),
      ...Volumes.map(({ Name }) => Name),
    ].filter((each) => each.includes(name));
  }

  for (const signal of ['SIGTERM', 'SIGHUP'] as const) {
    it(`by ${signal}: in order, and then of the signal`, async () => {
      const running = await started(berth.spawn(['run', ...untilUp]));
      assert.deepEqual(await end(running, signal), [null, signal], running.said());
      assert.deepEqual(await left(running.name), []);
    });
  }

  it('by a reader that goes away', async () => {
    const running = await started(berth.spawn(['run', '--', 'yes']), /^y$/m);
    running.child.stdout.destroy();
    assert.deepEqual(await once(running.child, 'close'), [0, null], running.said());
    assert.doesNotMatch(running.said(), /error|EPIPE/);
    assert.deepEqual(await left(running.name), []);
  });

  it('on a terminal: the cursor is seen again, also in the middle of the create', async () => {
    const child = berth.spawnOnTerminal(['run', ...untilUp]);
    let text = '';
    child.stdout.on('data', (chunk: Buffer) => (text += chunk.toString()));
    await until('the cursor is hidden', () => text.includes('\u001b[?25l'), 60_000);
    const pid = Number(/pid=(\d+)/.exec(text)?.[1]);
    const closed = once(child, 'close');
    process.kill(pid, 'SIGTERM');
    assert.deepEqual(await closed, [128 + 15, null], text);
    assert(text.lastIndexOf('\u001b[?25h') > text.lastIndexOf('\u001b[?25l'), JSON.stringify(text));
    assert.deepEqual(await berth.json('list'), []);
  });

  it('by a kill: the engine deletes it; the next one does, when that has ended as well', async () => {
    const first = await started(berth.spawn(['run', ...untilUp]));
    await end(first, 'SIGKILL');
    assert.deepEqual((await left(first.name)).length, 3, 'within its grace');
    await until('the engine has deleted it', async () => (await left(first.name)).length === 0, 60_000, 500);
    const second = await started(berth.spawn(['run', ...untilUp]));
    await end(second, 'SIGKILL');
    await berth.ok('down');
    assert.deepEqual((await left(second.name)).length, 3, 'within its grace');
    await until('the next engine has', async () => (await left(second.name)).length === 0, 60_000, 500);
  });
});
