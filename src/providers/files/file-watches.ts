/** Watches of volumes, shared: one stream per place however many ask, ended when the last one lets go. */
import type { FileChange } from '../../api';
import { watchFiles, type WatchTarget } from '../../client/watch';
import type { EngineLink, Logger } from '../engine-link';
import type { Disposable } from '../signal';

interface Watch {
  users: number;
  stop: () => void;
}

export class FileWatches implements Disposable {
  private readonly watches = new Map<string, Watch>();

  constructor(
    private readonly link: EngineLink,
    private readonly log: Logger,
    private readonly deliver: (volume: string, changes: FileChange[]) => void,
  ) {}

  watch(target: WatchTarget): Disposable {
    const key = `${target.volume}:${target.path}:${target.recursive}`;
    const watch = this.watches.get(key) ?? this.start(key, target);
    watch.users++;
    let isReleased = false;
    return {
      dispose: () => {
        if (!isReleased) {
          isReleased = true;
          this.release(key, watch);
        }
      },
    };
  }

  dispose(): void {
    for (const watch of this.watches.values()) {
      watch.stop();
    }
    this.watches.clear();
  }

  private release(key: string, watch: Watch): void {
    watch.users--;
    if (watch.users === 0) {
      watch.stop();
      if (this.watches.get(key) === watch) {
        this.watches.delete(key);
      }
    }
  }

  private start(key: string, target: WatchTarget): Watch {
    let stream: Disposable | undefined;
    let isStopped = false;
    const watch: Watch = {
      users: 0,
      stop: () => {
        isStopped = true;
        stream?.dispose();
      },
    };
    this.watches.set(key, watch);
    this.link.client().then(
      (client) => {
        if (isStopped) {
          return;
        }
        stream = watchFiles(client, target, {
          changes: (changes) => this.deliver(target.volume, changes),
          // A volume that nothing holds changes only through the engine, whose events come anyway.
          ended: (error) => this.log.info(`Not watching ${key}: ${error.message}`),
        });
      },
      () => undefined,
    );
    return watch;
  }
}
