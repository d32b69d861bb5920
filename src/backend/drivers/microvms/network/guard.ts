/**
 * Sees to it that the network filter of a machine runs as long as its engine knows the machine. The filter outlives
 * engines and ends with QEMU; while there is none, QEMU drops all that the guest sends.
 */
import { existsSync } from 'node:fs';
import { rm, stat, truncate } from 'node:fs/promises';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { BerthError } from '../../../../api/errors';
import { mebibyte } from '../../../../api/rules/sizes';
import type { Log } from '../../../machine/log';
import { filterChardevs, filterInId, filterInObject } from '../qemu/command-line';
import { connectSocket } from '../qemu/line-socket';
import { killProcess, lastWords, startDetached } from '../qemu/process';
import type { QmpClient } from '../qemu/qmp';
import type { RuntimeFiles } from '../runtimes/runtime-files';

const startTimeoutMs = 20_000;
/** Before each start anew; one that lived for long is started at once again. */
const pausesMs = [0, 500, 2_000, 10_000, 30_000];
const longLifeMs = 60_000;
const maxLogBytes = mebibyte;

export interface GuardDeps {
  name: string;
  qmp: Pick<QmpClient, 'execute' | 'human' | 'isOpen' | 'closed'>;
  /** Of QEMU. */
  pid: number;
  files: Pick<RuntimeFiles, 'sockets' | 'qemuLog' | 'filterSocket' | 'filterLog'>;
  log: Log;
}

/** In `dist` it is a bundle of its own; in tests it is beside this file. */
function filterFile(): string {
  const bundled = join(__dirname, 'network-filter.js');
  return existsSync(bundled) ? bundled : join(__dirname, 'main.js');
}

export class NetworkGuard {
  /** There is one, or is to be one again soon. */
  isFiltering = false;
  private readonly ended = new AbortController();
  private life: Socket | undefined;

  constructor(private readonly deps: GuardDeps) {
    void deps.qmp.closed.then(() => this.close());
  }

  /** For a machine that was just started: resolves when its guest can be reached. */
  async start(): Promise<void> {
    this.isFiltering = true;
    await this.spawn();
    void this.keep();
  }

  /** For one that an earlier engine started. One without a filter stays as it is. */
  async adopt(): Promise<void> {
    this.isFiltering = await hasFilter(this.deps.qmp);
    if (!this.isFiltering) {
      return;
    }
    const { files, pid } = this.deps;
    this.life = await connectOnce(files.filterSocket(pid));
    void this.keep();
  }

  /** Lets go of the filter, which runs on. */
  close(): void {
    this.ended.abort();
    this.life?.destroy();
  }

  private async keep(): Promise<void> {
    const { log, name } = this.deps;
    for (let failures = 0; ; failures++) {
      const since = performance.now();
      await closed(this.life);
      if (performance.now() - since > longLifeMs) {
        failures = 0;
      }
      const pauseMs = pausesMs[Math.min(failures, pausesMs.length - 1)] ?? 0;
      await sleep(pauseMs, undefined, { signal: this.ended.signal }).catch(() => undefined);
      if (this.ended.signal.aborted || !this.deps.qmp.isOpen) {
        return;
      }
      try {
        await this.restart();
        log.warn({ name }, 'the network filter of a microVM had ended: it was started anew');
      } catch (error) {
        this.life = undefined;
        log.warn({ name, error: String(error) }, 'a microVM has no network: its filter did not start');
      }
    }
  }

  /** Without its reader QEMU would say of each frame that it is lost: no frames until there is one again. */
  private async restart(): Promise<void> {
    const { qmp, files } = this.deps;
    await qmp.execute('set_link', { name: 'net', up: false });
    await cutIfLarge(files.qemuLog);
    await this.spawn();
    // It has stopped to read what comes back, for good.
    await qmp.human(`object_del ${filterInId}`);
    const said = (await qmp.human(`object_add ${filterInObject},id=${filterInId},position=head`)).trim();
    if (said !== '') {
      throw new BerthError('internal', `QEMU takes nothing from the network filter: ${said}`);
    }
    await qmp.execute('set_link', { name: 'net', up: true });
  }

  private async spawn(): Promise<void> {
    const { name, files, pid } = this.deps;
    const { filterOut, filterIn } = files.sockets;
    const life = files.filterSocket(pid);
    await rm(life, { force: true });
    const filter = await startDetached({
      ...{ binary: process.execPath, log: files.filterLog },
      argv: [filterFile(), filterOut, filterIn, life],
    });
    try {
      const options = {
        timeoutMs: startTimeoutMs,
        signal: this.ended.signal,
        hopeless: () => filter.ended(),
      };
      this.life = await connectSocket(life, options);
    } catch (error) {
      await killProcess(filter.identity);
      const said = await lastWords(files.filterLog);
      throw new BerthError(
        'runtime_unavailable',
        `The network filter of ${name} did not start. ${said}`.trim(),
        {
          first: `Look at ${files.filterLog}, which may say more.`,
          remedy: 'start',
          cause: error,
        },
      );
    }
    this.life.on('error', () => undefined).resume();
  }
}

/** By what QEMU was started with: earlier versions of Berth had no filter. */
export async function hasFilter(qmp: Pick<QmpClient, 'execute'>): Promise<boolean> {
  const chardevs = await qmp.execute('query-chardev');
  return (
    Array.isArray(chardevs) &&
    (chardevs as { label?: unknown }[]).some(({ label }) => label === filterChardevs.out)
  );
}

/** QEMU writes a line for each frame that it had no filter for. */
async function cutIfLarge(log: string): Promise<void> {
  const size = (await stat(log).catch(() => undefined))?.size ?? 0;
  if (size > maxLogBytes) {
    await truncate(log);
  }
}

function connectOnce(path: string): Promise<Socket | undefined> {
  return new Promise((resolve) => {
    const socket = connect(path, () => resolve(socket));
    socket.on('error', () => resolve(undefined)).resume();
  });
}

function closed(socket: Socket | undefined): Promise<void> {
  return new Promise((resolve) => {
    if (socket === undefined || socket.destroyed) {
      resolve();
    } else {
      socket.once('close', () => resolve());
    }
  });
}
