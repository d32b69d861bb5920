/** Pause and resume of microVMs over the API, and from disk, against QEMU asked by hand. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { isQuick, main, median, time, type Row, type RunningEngine } from './lib';
import { blueprintOf, withBare, type BareQemu } from './support/bare-qemu';
import { createMicrovm, memoryMiB, nameOf, pidOf, untilTrue, wait, withMicrovms } from './support/microvms';
import { waitForBanner } from '../src/backend/inside/ssh-banner';

const rounds = isQuick ? 3 : 15;
const slowRounds = isQuick ? 3 : 5;
const saveTimeoutMs = 120_000;

type Times = Record<string, number[]>;

function note(times: Times, what: string, ms: number): void {
  (times[what] ??= []).push(ms);
}

class Paused {
  private readonly params: { name: string };
  private readonly state: string;

  constructor(
    private readonly engine: RunningEngine,
    private readonly name: string,
  ) {
    this.params = { name };
    this.state = join(engine.home, 'workspaces', name, 'machine.state');
  }

  async pause(): Promise<void> {
    const { client } = this.engine;
    await client.waitFor(await client.call('workspaces.pause', { params: this.params, ...wait }));
  }

  async resume(): Promise<void> {
    const { client } = this.engine;
    await client.waitFor(await client.call('workspaces.resume', { params: this.params, ...wait }));
  }

  untilSaved(): Promise<void> {
    return untilTrue('a paused machine is saved', () => existsSync(this.state), saveTimeoutMs);
  }

  /** What was saved before is removed a little later, which would meet what is measured next. */
  untilTidy(): Promise<void> {
    const aside = `${this.state}.old`;
    return untilTrue('what was saved is removed', () => !existsSync(aside), saveTimeoutMs);
  }

  /** What happens to it when the machine under it is started anew. */
  async kill(): Promise<void> {
    const pid = pidOf(this.engine.home, this.name);
    process.kill(pid, 'SIGKILL');
    await untilTrue('QEMU has ended', () => !existsSync(`/proc/${pid}`), saveTimeoutMs);
  }

  async untilAnswering(): Promise<void> {
    const { port } = await this.engine.client.call('workspaces.ssh', { params: this.params });
    const { signal } = new AbortController();
    await waitForBanner(port, { timeoutMs: saveTimeoutMs, signal, explain: () => Promise.resolve('') });
  }
}

async function inMemory(paused: Paused, bare: BareQemu, times: Times): Promise<void> {
  const qmp = await bare.monitor();
  try {
    for (let round = 0; round < rounds; round += 1) {
      note(times, 'stop', await time(() => qmp.execute('stop')));
      note(times, 'cont', await time(() => qmp.execute('cont')));
      note(times, 'pause', await time(() => paused.pause()));
      note(times, 'resume at once', await time(() => paused.resume()));
    }
  } finally {
    qmp.close();
  }
}

async function onDisk(paused: Paused, bare: BareQemu, times: Times): Promise<void> {
  for (let round = 0; round < slowRounds; round += 1) {
    note(times, 'save', await time(() => bare.save()));
    await bare.end();
    note(times, 'restore', await time(() => bare.restore()));
    await paused.untilTidy();
    const begun = performance.now();
    await paused.pause();
    await paused.untilSaved();
    note(times, 'saved', performance.now() - begun);
    note(times, 'resume later', await time(() => paused.resume()));
    await paused.untilTidy();
    await paused.pause();
    await paused.untilSaved();
    await paused.kill();
    const resumed = performance.now();
    await paused.resume();
    await paused.untilAnswering();
    note(times, 'resume from disk', performance.now() - resumed);
  }
}

function rowsOf(times: Times): Row[] {
  const of = (what: string) => median(times[what] ?? []);
  const row = (what: string, subject: string, baseline: [string, string], atMost?: number): Row => ({
    ...{ what, value: of(subject), unit: 'ms' as const, note: `median of ${times[subject]?.length ?? 0}` },
    baseline: { what: baseline[0], value: of(baseline[1]) },
    ...(atMost !== undefined && { budget: { atMost, of: 'value' as const } }),
  });
  return [
    row('pause', 'pause', ['QMP `stop`', 'stop'], 25),
    row('resume while its state is being saved', 'resume at once', ['QMP `cont`', 'cont'], 25),
    row('resume after that', 'resume later', ['QMP `cont`', 'cont'], 25),
    row(`pause → ${memoryMiB} MiB guest saved on disk`, 'saved', ['QMP `migrate` to `cat`, `sync`', 'save']),
    row('resume from disk → SSH answers', 'resume from disk', ['bare QEMU `-incoming`', 'restore']),
  ];
}

function measure(): Promise<Row[]> {
  return withMicrovms('shared', async (engine) => {
    const name = nameOf('pause');
    await createMicrovm(engine, name);
    const paused = new Paused(engine, name);
    const blueprint = await blueprintOf(engine, name);
    return withBare(blueprint, async (bare) => {
      await bare.makeDisks();
      await bare.boot();
      const times: Times = {};
      await inMemory(paused, bare, times);
      await onDisk(paused, bare, times);
      return rowsOf(times);
    });
  });
}

main('MicroVMs: pause and resume', measure);
