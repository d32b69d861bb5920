/**
 * Watches of volumes, shared: one stream per place however many ask, ended when the last one lets go. While somebody
 * wants it a stream that ended is opened again: when the engine is back, when something runs in the volume again, or
 * after a while.
 */
import { BerthError, asBerthError, type FileChange } from '../../api';
import { watchFiles, type WatchTarget } from '../../client/watch';
import type { EngineLink, Logger } from '../../ui/engine-link';
import { DisposableList, type Disposable } from '../../ui/signal';
import type { Store } from '../../ui/store';
import { isInUse } from './in-use';
import { volumeNamed } from './volume-names';

export interface WatchListener {
  changes(volume: string, changes: FileChange[]): void;
  /** The place is watched again after it was not for a while: what happened meanwhile is not known. */
  missed(target: WatchTarget): void;
}

const firstRetryMs = 1_000;
const maxRetryMs = 30_000;

interface Watch {
  readonly key: string;
  readonly target: WatchTarget;
  users: number;
  /** Whether a stream is open or being opened. */
  isOpen: boolean;
  hasMissed: boolean;
  retryMs: number;
  retry: NodeJS.Timeout | undefined;
  stream: Disposable | undefined;
}

export class FileWatches implements Disposable {
  private readonly owned = new DisposableList();
  private readonly watches = new Map<string, Watch>();

  constructor(
    private readonly link: Pick<EngineLink, 'client' | 'state' | 'onDidChange'>,
    private readonly store: Pick<Store, 'volume' | 'volumes' | 'workspace' | 'onDidChange'>,
    private readonly log: Pick<Logger, 'info'>,
    private readonly listener: WatchListener,
  ) {
    this.owned.add(link.onDidChange(() => this.revive()));
    this.owned.add(store.onDidChange(() => this.revive()));
  }

  watch(target: WatchTarget): Disposable {
    const key = `${target.volume}:${target.path}:${target.recursive}`;
    const watch = this.watches.get(key) ?? this.add(key, target);
    watch.users++;
    let isReleased = false;
    return {
      dispose: () => {
        if (!isReleased) {
          isReleased = true;
          this.release(watch);
        }
      },
    };
  }

  dispose(): void {
    this.owned.dispose();
    for (const watch of this.watches.values()) {
      stop(watch);
    }
    this.watches.clear();
  }

  private add(key: string, target: WatchTarget): Watch {
    const rest = { isOpen: false, hasMissed: false, retryMs: firstRetryMs };
    const watch: Watch = { key, target, users: 0, ...rest, retry: undefined, stream: undefined };
    this.watches.set(key, watch);
    void this.open(watch);
    return watch;
  }

  private release(watch: Watch): void {
    watch.users--;
    if (watch.users === 0 && this.watches.get(watch.key) === watch) {
      stop(watch);
      this.watches.delete(watch.key);
    }
  }

  private async open(watch: Watch): Promise<void> {
    watch.isOpen = true;
    clearTimeout(watch.retry);
    watch.retry = undefined;
    try {
      const client = await this.link.client();
      if (this.isWanted(watch)) {
        // Known by now: whoever has a client has what the engine reported.
        const volume = volumeNamed(this.store, watch.target.volume);
        watch.stream = watchFiles(
          client,
          { ...watch.target, volume },
          {
            opened: () => this.opened(watch),
            changes: (changes) => this.listener.changes(volume, changes),
            ended: (error) => this.ended(watch, error),
          },
        );
      }
    } catch (error) {
      this.ended(watch, asBerthError(error));
    }
  }

  private opened(watch: Watch): void {
    watch.retryMs = firstRetryMs;
    if (watch.hasMissed && this.isWanted(watch)) {
      this.listener.missed(watch.target);
    }
  }

  /** A volume that nothing holds changes only through the engine, whose events come anyway. */
  private ended(watch: Watch, error: BerthError): void {
    this.log.info(`Not watching ${watch.key}: ${error.message}`);
    Object.assign(watch, { isOpen: false, hasMissed: true, stream: undefined });
    if (this.isWanted(watch)) {
      watch.retry = setTimeout(() => {
        watch.retry = undefined;
        this.revive();
      }, watch.retryMs);
      watch.retryMs = Math.min(2 * watch.retryMs, maxRetryMs);
    }
  }

  /** Opens what can be open again. Never starts an engine, and asks for nothing that has just failed. */
  private revive(): void {
    for (const watch of this.watches.values()) {
      const { isOpen, retry, target } = watch;
      if (!isOpen && retry === undefined && this.link.state.kind === 'ready' && this.isLive(target.volume)) {
        void this.open(watch);
      }
    }
  }

  private isLive(volume: string): boolean {
    return isInUse(this.store, volumeNamed(this.store, volume));
  }

  private isWanted(watch: Watch): boolean {
    return this.watches.get(watch.key) === watch;
  }
}

function stop(watch: Watch): void {
  clearTimeout(watch.retry);
  watch.stream?.dispose();
}
