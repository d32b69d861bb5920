/**
 * The extension's one line to the engine: starts it when somebody needs it, follows its events into the store,
 * and says in which state it is. Nothing is started, asked or kept open before the first `client()`.
 */
import { BerthError, asBerthError, type EngineInfo } from '../api';
import type { EngineClient } from '../client/engine-client';
import { EventStream, StreamEnded } from '../client/events';
import { socketPath, stateDirectory } from '../client/endpoint';
import { connect, type LaunchOptions } from '../client/launch';
import { onSocketMade } from '../client/socket-made';
import type { SentSettings } from './sent-settings';
import { Signal, type Disposable } from './signal';
import type { Snapshot, Store } from './store';
import { loadPart } from '../client/load-part';

export interface Logger {
  info(message: string): void;
  warn(message: string): void;
  error(message: string | Error): void;
}

export type LinkState =
  | { kind: 'idle' }
  | { kind: 'starting' }
  | { kind: 'ready'; info: EngineInfo }
  /** It ended by itself, or somebody asked it to. */
  | { kind: 'stopped' }
  | { kind: 'failed'; error: BerthError };

export interface LinkOptions {
  launch: () => LaunchOptions;
  /** What the user configured; sent to the engine after connecting. */
  settings: SentSettings;
  /** Somebody looks: a lost engine is started again. */
  isWatched: () => boolean;
  /** How long an engine may take to answer, and to end, before its process is ended. */
  endTimeoutMs?: number;
}

const restartsAllowed = 3;
const restartWindowMs = 60_000;

export class EngineLink implements Disposable {
  private current: LinkState = { kind: 'idle' };
  private connected: EngineClient | undefined;
  private connecting: Promise<EngineClient> | undefined;
  private stream: EventStream | undefined;
  private restarts: number[] = [];
  private home = '';
  private socket = '';
  /** While the engine is stopped: tells when somebody else starts it. */
  private returning: Disposable | undefined;
  private disposed = false;
  private readonly changed = new Signal<LinkState>();
  readonly onDidChange = this.changed.on;
  private readonly resetting: Disposable;

  constructor(
    private readonly options: LinkOptions,
    private readonly store: Store,
    private readonly log: Logger,
  ) {
    this.resetting = store.onReset((reason) => {
      this.log.info(`Events were missed (${reason}): loading all again.`);
      void this.reload().catch((error: unknown) => this.log.warn(String(error)));
    });
  }

  get state(): LinkState {
    return this.current;
  }

  /** The client of a running engine, which is started when there is none. One attempt serves all callers. */
  client(): Promise<EngineClient> {
    if (this.connected !== undefined) {
      return Promise.resolve(this.connected);
    }
    this.connecting ??= this.open().finally(() => {
      this.connecting = undefined;
    });
    return this.connecting;
  }

  /** Reads everything again. */
  async reload(): Promise<void> {
    const client = this.connected ?? (await this.client());
    await this.load(client);
  }

  /**
   * Ends the engine, also one that never answered this window, and starts it again; running workspaces go on. Throws
   * what kept the old engine from ending or the new one from starting.
   */
  async restart(): Promise<void> {
    const client = this.connected;
    const pid = this.current.kind === 'ready' ? this.current.info.pid : undefined;
    this.setState({ kind: 'starting' });
    this.close();
    const { endTimeoutMs } = this.options;
    const options = {
      ...(endTimeoutMs !== undefined && { timeoutMs: endTimeoutMs }),
      warn: (message: string) => this.log.warn(message),
    };
    try {
      const { endEngine, endEngineOf } = await loadPart(
        import(/* webpackChunkName: "start" */ '../client/end-engine.js'),
      );
      await (client === undefined
        ? endEngineOf(this.options.launch().home ?? stateDirectory(), options)
        : endEngine(client, this.home, pid, options));
    } catch (error) {
      const reason = asBerthError(error);
      this.setState({ kind: 'failed', error: reason });
      throw reason;
    }
    // An attempt that waited for the old one has heard of its end by now.
    await this.connecting?.catch(() => undefined);
    this.restarts = [];
    await this.client();
  }

  dispose(): void {
    this.disposed = true;
    this.resetting.dispose();
    this.returning?.dispose();
    this.close();
  }

  private async open(): Promise<EngineClient> {
    if (this.disposed) {
      throw new BerthError('cancelled', 'The window is closing.');
    }
    this.returning?.dispose();
    this.setState({ kind: 'starting' });
    let client: EngineClient | undefined;
    try {
      client = await this.connect();
      await this.configure(client).catch((error: unknown) => {
        this.log.warn(`The engine refused the settings of VS Code: ${asBerthError(error).message}`);
      });
      await this.follow(client);
      await this.load(client);
      this.connected = client;
      return client;
    } catch (error) {
      client?.dispose();
      this.close();
      const reason = asBerthError(error);
      this.log.error(`The engine can't be used: ${reason.message}`);
      this.setState({ kind: 'failed', error: reason });
      throw reason;
    }
  }

  private connect(): Promise<EngineClient> {
    const launch = this.options.launch();
    this.home = launch.home ?? stateDirectory();
    this.socket = socketPath(this.home);
    return connect({
      ...launch,
      onStart: () => this.log.info(`Starting the engine ${launch.enginePath} (version ${launch.version}).`),
    });
  }

  /** Tells the engine the settings of this VS Code. */
  async configure(client: EngineClient): Promise<void> {
    const { settings } = this.options;
    const change = settings.change(this.home);
    if (Object.keys(change).length > 0) {
      await client.call('engine.configure', { body: change });
      await settings.taken(this.home, change);
    }
  }

  /** Opens the event stream; resolves when it is open, so that no change falls between it and the snapshot. */
  private follow(client: EngineClient): Promise<void> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        reject(new BerthError('timeout', 'Timed out after 15 s waiting for the event stream of the engine.'));
      }, 15_000);
      this.stream?.dispose();
      const stream = new EventStream(() => Promise.resolve(client.transport), {
        event: (event) => this.store.apply(event),
        connected: () => {
          clearTimeout(timer);
          resolve();
        },
        disconnected: (error) => {
          clearTimeout(timer);
          if (this.stream === stream) {
            reject(asBerthError(error));
            this.lost(error);
          }
        },
      });
      this.stream = stream;
    });
  }

  /** A clean end means that somebody stopped the engine: it stays so. A broken line is mended when watched. */
  private lost(error: unknown): void {
    const wasReady = this.current.kind === 'ready';
    this.close();
    if (!wasReady || this.disposed) {
      return;
    }
    this.log.warn(`Lost the engine: ${asBerthError(error).message}`);
    if (error instanceof StreamEnded || !this.options.isWatched() || !this.mayRestart()) {
      this.stopped();
      return;
    }
    void this.client().catch(() => undefined);
  }

  /** Nobody here starts it again unasked; when another window or the command line does, we are there. */
  private stopped(): void {
    this.store.clear();
    // `open` ends the watch: when too much was started lately it stays, for the next engine.
    this.returning?.dispose();
    this.returning = onSocketMade(this.socket, () => {
      if (this.connecting === undefined && this.mayRestart()) {
        void this.client().catch(() => undefined);
      }
    });
    this.setState({ kind: 'stopped' });
  }

  private mayRestart(): boolean {
    const now = Date.now();
    this.restarts = [...this.restarts.filter((at) => now - at < restartWindowMs), now];
    return this.restarts.length <= restartsAllowed;
  }

  private async load(client: EngineClient): Promise<void> {
    this.store.beginSnapshot();
    const [info, workspaces, volumes, operations] = await Promise.all([
      client.call('engine.info', {}),
      client.call('workspaces.list', {}),
      client.call('volumes.list', {}).catch((error: unknown): Snapshot['volumes'] => {
        this.log.warn(`The volumes can't be listed: ${asBerthError(error).message}`);
        return [];
      }),
      client.call('operations.list', { query: { running: true } }),
    ]);
    this.store.loadSnapshot({ workspaces, volumes, operations, drivers: info.drivers });
    this.setState({ kind: 'ready', info });
  }

  private close(): void {
    this.stream?.dispose();
    this.stream = undefined;
    this.connected?.dispose();
    this.connected = undefined;
  }

  private setState(state: LinkState): void {
    this.current = state;
    this.changed.fire(state);
  }
}
