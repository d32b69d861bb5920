/** What is measured for a panel that shows, and only for one: use every two seconds, and the log as it is written. */
import { setTimeout as sleep } from 'node:timers/promises';
import { isUsable } from '../../../api/rules/lifecycle';
import type { Workspace } from '../../../api';
import type { EngineClient } from '../../../client/engine-client';
import { LogTail } from './log-tail';
import { recent, type Sample } from './series';

const sampleMs = 2_000;
const sampleTimeoutMs = 5_000;
const firstLines = 12;
/** Between two pictures of a log that is flooded. */
const drawMs = 250;
/** Until a log that has ended is asked for again. */
const againMs = 2_000;

export interface WatchDeps {
  client(): Promise<EngineClient>;
  workspace(): Workspace | undefined;
  sampled(samples: readonly Sample[]): void;
  logged(lines: readonly string[]): void;
}

export class PanelWatch {
  private running: AbortController | undefined;
  private samples: Sample[] = [];
  private readonly tail = new LogTail();
  /** The life of the workspace whose log was read to its end: there is no more of it. */
  private read: string | undefined;

  constructor(private readonly deps: WatchDeps) {}

  /** Shows what is known at once, and goes on until it is stopped. */
  start(): void {
    if (this.running !== undefined) {
      return;
    }
    const { signal } = (this.running = new AbortController());
    // A page that shows again is empty.
    this.read = undefined;
    this.deps.sampled((this.samples = recent(this.samples, Date.now())));
    void this.repeat(signal, sampleMs, () => this.sample(signal));
    void this.repeat(signal, againMs, () => this.follow(signal));
  }

  stop(): void {
    this.running?.abort();
    this.running = undefined;
  }

  private async repeat(signal: AbortSignal, pauseMs: number, run: () => Promise<void>): Promise<void> {
    while (!signal.aborted) {
      // An extra: the next one may go better, and what the engine lacks shows elsewhere.
      await run().catch(() => undefined);
      await sleep(pauseMs, undefined, { signal }).catch(() => undefined);
    }
  }

  private async sample(signal: AbortSignal): Promise<void> {
    const workspace = this.deps.workspace();
    if (workspace === undefined || !isUsable('stats', workspace.state)) {
      return;
    }
    const client = await this.deps.client();
    const { at, ...stats } = await client.call('workspaces.stats', {
      params: { name: workspace.name },
      signal: AbortSignal.any([signal, AbortSignal.timeout(sampleTimeoutMs)]),
    });
    this.samples = recent([...this.samples, { ...stats, atMs: Date.parse(at) }], Date.now());
    if (!signal.aborted) {
      this.deps.sampled(this.samples);
    }
  }

  /** Until the log ends, as it does when the workspace stops. */
  private async follow(signal: AbortSignal): Promise<void> {
    const workspace = this.deps.workspace();
    if (workspace === undefined || !isUsable('logs', workspace.state)) {
      return;
    }
    const life = [workspace.state, workspace.runtimeId, workspace.startedAt].join(' ');
    if (this.read === life) {
      return;
    }
    const client = await this.deps.client();
    const log = await client.logs(workspace.name, { tail: firstLines, follow: true, signal });
    log.setEncoding('utf8');
    this.tail.clear();
    let timer: NodeJS.Timeout | undefined;
    const draw = (): void => {
      timer = undefined;
      if (!signal.aborted) {
        this.deps.logged(this.tail.lines);
      }
    };
    try {
      for await (const chunk of log) {
        this.tail.push(String(chunk));
        timer ??= setTimeout(draw, drawMs);
      }
      this.read = life;
    } finally {
      clearTimeout(timer);
      draw();
    }
  }
}
