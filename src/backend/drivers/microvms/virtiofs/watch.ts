/**
 * Watches the daemons that serve folders to a machine. QEMU can't be connected to another one: when one ends, what asks
 * for that folder inside waits for ever, and only a restart brings it back. So its end must be seen.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { isRunning, type ProcessIdentity } from '../../../machine/process-identity';
import type { Log } from '../../../machine/log';
import { lastWords } from '../qemu/process';
import type { QmpClient } from '../qemu/qmp';
import type { RuntimeFiles } from '../runtimes/runtime-files';
import { daemonOf } from './shares';

const pollMs = 1_000;
/** With their machine they end as well, and may be seen to do so first. */
const closeTimeoutMs = 2_000;
const quotedChars = 300;

export interface ShareWatchDeps {
  name: string;
  /** Of the folders it has. */
  serials: readonly string[];
  qmp: Pick<QmpClient, 'isOpen' | 'closed'>;
  files: Pick<RuntimeFiles, 'shareSocket' | 'shareLog'>;
  log: Log;
  /** What is to be known of the machine has changed. */
  changed: () => void;
}

export class ShareWatch {
  /** Folders that nobody serves any more, with what their daemons said last. */
  readonly lost = new Map<string, string>();
  private readonly ended = new AbortController();

  constructor(private readonly deps: ShareWatchDeps) {
    void deps.qmp.closed.then(() => this.close());
    deps.serials.forEach((serial) => void this.follow(serial));
  }

  close(): void {
    this.ended.abort();
  }

  private async follow(serial: string): Promise<void> {
    const { files, log, name, changed } = this.deps;
    try {
      const daemon = await daemonOf(files.shareSocket(serial));
      await this.waitForEnd(daemon);
      await this.pause(closeTimeoutMs);
      if (this.ended.signal.aborted) {
        return;
      }
      const said = (await lastWords(files.shareLog(serial))).slice(-quotedChars);
      this.lost.set(serial, said);
      log.warn({ name, serial, said }, 'the daemon of a shared folder has ended');
      changed();
    } catch (error) {
      log.warn({ name, serial, error: String(error) }, 'the daemon of a shared folder is not watched');
    }
  }

  /** It need not be our child. One that is not there has ended already. */
  private async waitForEnd(daemon: ProcessIdentity | undefined): Promise<void> {
    while (daemon !== undefined && isRunning(daemon) && !this.ended.signal.aborted) {
      await this.pause(pollMs);
    }
  }

  private async pause(ms: number): Promise<void> {
    await sleep(ms, undefined, { signal: this.ended.signal, ref: false }).catch(() => undefined);
  }
}
