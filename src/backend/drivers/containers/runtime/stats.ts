/** CPU, memory and network of running containers. */
import type { Readable } from 'node:stream';
import { BerthError } from '../../../../api/errors';
import type { WorkspaceStats } from '../../../../api/workspaces/schemas';
import { isStatus } from '../engine/docker-errors';
import type { Endpoint } from '../engine/endpoint';
import { stateOf } from './runtime-info';
import { linesOf, toReadable } from '../engine/streams';

/** A stream that nobody asked for this long is closed. */
const lingerMs = 5000;
const firstSampleTimeoutMs = 10_000;

/** One answer of the engine, as far as we read it. Podman names its networks differently, so all are summed. */
export interface RawStats {
  read: string;
  preread: string;
  pids_stats?: { current?: number };
  cpu_stats: { cpu_usage: { total_usage: number } };
  precpu_stats?: { cpu_usage: { total_usage: number } };
  memory_stats: { usage?: number; limit?: number; stats?: Partial<Record<string, number>> };
  networks?: Record<string, { rx_bytes: number; tx_bytes: number }>;
}

/** Undefined for a first sample: a share of CPU time needs two. */
export function toStats(raw: RawStats): WorkspaceStats | undefined {
  const before = Date.parse(raw.preread);
  const elapsedNs = (Date.parse(raw.read) - before) * 1e6;
  if (Number.isNaN(before) || before <= 0 || elapsedNs <= 0) {
    return undefined;
  }
  const used = raw.cpu_stats.cpu_usage.total_usage - (raw.precpu_stats?.cpu_usage.total_usage ?? 0);
  const memory = raw.memory_stats;
  // The page cache that can be dropped at once is not counted, as in `docker stats` (cgroup v1, then v2).
  const cache = memory.stats?.total_inactive_file ?? memory.stats?.inactive_file ?? 0;
  const networks = Object.values(raw.networks ?? {});
  return {
    cpuPercent: Math.max(0, Math.round((used / elapsedNs) * 10_000) / 100),
    memoryBytes: Math.max(0, (memory.usage ?? 0) - cache),
    memoryLimitBytes: memory.limit ?? 0,
    pids: raw.pids_stats?.current ?? 0,
    networkRxBytes: networks.reduce((sum, network) => sum + network.rx_bytes, 0),
    networkTxBytes: networks.reduce((sum, network) => sum + network.tx_bytes, 0),
    at: new Date(raw.read).toISOString(),
  };
}

interface Sampler {
  first: Promise<WorkspaceStats>;
  latest: WorkspaceStats | undefined;
  linger: NodeJS.Timeout;
  close(): void;
}

/**
 * The engine takes two seconds for one sample, but gives one each second on an open stream: a stream stays open
 * while somebody keeps asking.
 */
export class Stats {
  private readonly samplers = new Map<string, Sampler>();

  constructor(private readonly endpoint: Endpoint) {}

  async of(name: string): Promise<WorkspaceStats> {
    const sampler = this.samplers.get(name) ?? this.open(name);
    sampler.linger.refresh();
    return sampler.latest ?? sampler.first;
  }

  close(): void {
    for (const sampler of this.samplers.values()) {
      sampler.close();
    }
  }

  private open(name: string): Sampler {
    const ended = new AbortController();
    const close = (): void => {
      clearTimeout(sampler.linger);
      ended.abort();
      if (this.samplers.get(name) === sampler) {
        this.samplers.delete(name);
      }
    };
    const sampler: Sampler = {
      first: this.sample(name, ended.signal, (stats) => (sampler.latest = stats)).finally(() => {
        if (sampler.latest === undefined) {
          close();
        }
      }),
      latest: undefined,
      linger: setTimeout(() => close(), lingerMs).unref(),
      close,
    };
    sampler.first.catch(() => undefined);
    this.samplers.set(name, sampler);
    return sampler;
  }

  /** Resolves with the first sample; goes on telling until the stream ends. */
  private async sample(
    name: string,
    signal: AbortSignal,
    report: (stats: WorkspaceStats) => void,
  ): Promise<WorkspaceStats> {
    const stream = await this.endpoint.call(`measure ${name}`, async (docker) => {
      const container = docker.getContainer(name);
      try {
        const { State } = await container.inspect();
        if (stateOf(State.Status) === 'stopped') {
          throw new BerthError('illegal_state', `${name} is stopped: there is nothing to measure.`);
        }
        return toReadable(await container.stats({ stream: true }));
      } catch (error) {
        throw isStatus(error, 404) ? new BerthError('not_found', `There is no container ${name}.`) : error;
      }
    });
    signal.addEventListener('abort', () => void stream.destroy(), { once: true });
    if (signal.aborted) {
      stream.destroy();
    }
    return this.readFirst(name, stream, report);
  }

  private readFirst(
    name: string,
    stream: Readable,
    report: (stats: WorkspaceStats) => void,
  ): Promise<WorkspaceStats> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        const what = `Timed out after ${firstSampleTimeoutMs / 1000} s waiting for figures of ${name}.`;
        reject(new BerthError('timeout', what));
        stream.destroy();
      }, firstSampleTimeoutMs);
      const options = (stats: WorkspaceStats): void => {
        clearTimeout(timer);
        report(stats);
        resolve(stats);
      };
      const ended = (): void => {
        clearTimeout(timer);
        stream.destroy();
        this.samplers.get(name)?.close();
        reject(new BerthError('illegal_state', `${name} stopped while it was measured.`));
      };
      readSamples(stream, options).then(ended, ended);
    });
  }
}

async function readSamples(stream: Readable, report: (stats: WorkspaceStats) => void): Promise<void> {
  for await (const line of linesOf(stream)) {
    const stats = toStats(JSON.parse(line) as RawStats);
    if (stats !== undefined) {
      report(stats);
    }
  }
}
