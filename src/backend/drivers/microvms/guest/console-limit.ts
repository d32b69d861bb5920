/**
 * Keeps the console log of a machine that runs within bounds: QEMU appends to it whatever the guest says. Looked at only
 * after something was said, and at most once a second. A guest that says too much is not written down for a while.
 */
import { watch, type FSWatcher } from 'node:fs';
import { appendFile, open, stat, truncate } from 'node:fs/promises';
import { kibibyte, mebibyte } from '../../../../api/rules/sizes';
import type { Log } from '../../../machine/log';
import type { ConsoleValve } from './console-valve';
import { FloodGuard, type FloodLimits } from './flood-guard';

const lookMs = 1_000;

export interface ConsoleLimits extends FloodLimits {
  maxBytes: number;
  /** The end, which stays when the log has grown beyond that. */
  keptBytes: number;
  /** How long nothing is written down of a guest that says more than the limits let. */
  muteMs: number;
}

/** A kernel that says all it can while it boots says far less than the burst. */
export const ownLimits: ConsoleLimits = {
  ...{ maxBytes: 8 * mebibyte, keptBytes: 256 * kibibyte },
  ...{ burstBytes: 512 * kibibyte, bytesPerSecond: 32 * kibibyte, muteMs: 30_000 },
};

export interface LimitedConsole {
  path: string;
  valve: Pick<ConsoleValve, 'close' | 'open'>;
  log: Log;
  /** Called when it is no more written down, and when it is again. */
  muted: (isMuted: boolean) => void;
}

export class ConsoleLimit {
  private readonly guard: FloodGuard;
  private watcher: FSWatcher | undefined;
  private timer: NodeJS.Timeout | undefined;
  private hasEnded = false;
  private seenBytes = 0;

  /** Until `end` is called. */
  constructor(
    private readonly console: LimitedConsole,
    private readonly limits = ownLimits,
  ) {
    this.guard = new FloodGuard(limits);
    void this.begin();
  }

  end(): void {
    this.hasEnded = true;
    clearTimeout(this.timer);
    this.watcher?.close();
  }

  private async begin(): Promise<void> {
    // What was said before counts for the size alone.
    this.seenBytes = await sizeOf(this.console.path);
    await this.look();
  }

  private wait(): void {
    if (this.hasEnded) {
      return;
    }
    // A guest that floods it must not wake the engine more often than that.
    const lookLater = (): void => {
      this.watcher?.close();
      this.later(lookMs, () => this.look());
    };
    try {
      this.watcher = watch(this.console.path, { persistent: false });
      this.watcher.once('change', lookLater).once('error', lookLater);
    } catch {
      // There is no log (yet): who runs writes one, and is looked at with the next connection.
    }
  }

  private later(ms: number, then: () => Promise<void>): void {
    if (!this.hasEnded) {
      this.timer = setTimeout(() => void then(), ms).unref();
    }
  }

  private async look(): Promise<void> {
    const { path, log } = this.console;
    try {
      const bytes = await sizeOf(path);
      const isFlood = !this.guard.take(Math.max(0, bytes - this.seenBytes));
      if (isFlood && (await this.mute())) {
        return;
      }
      await this.trim();
    } catch (error) {
      log.warn({ path, error: String(error) }, 'a console log could not be shortened');
    }
    this.wait();
  }

  /** False when it can't be: then its size alone is limited. */
  private async mute(): Promise<boolean> {
    const { path, valve, muted } = this.console;
    if (!(await valve.close())) {
      return false;
    }
    const { bytesPerSecond, muteMs } = this.limits;
    const limit = `more than ${Math.round(bytesPerSecond / 1024)} KiB a second`;
    await this.trim();
    await appendFile(path, note(`the guest says ${limit}: what follows is left out for ${muteMs / 1000} s`));
    muted(true);
    this.later(muteMs, () => this.unmute());
    return true;
  }

  private async unmute(): Promise<void> {
    const { path, valve, muted, log } = this.console;
    try {
      await appendFile(path, note('lines were left out here'));
      this.seenBytes = await sizeOf(path);
      await valve.open();
    } catch (error) {
      log.warn({ path, error: String(error) }, 'a console is not written down any more');
    }
    muted(false);
    this.wait();
  }

  /** QEMU has it open for appending: what it writes next stands behind what is kept. */
  private async trim(): Promise<void> {
    const { path } = this.console;
    const { maxBytes, keptBytes } = this.limits;
    const size = await sizeOf(path);
    if (size > maxBytes) {
      const kept = await readEnd(path, size, keptBytes);
      await truncate(path, 0);
      const whole = kept.subarray(kept.indexOf(10) + 1);
      await appendFile(path, Buffer.concat([Buffer.from(note('what was said before is left out')), whole]));
    }
    this.seenBytes = size > maxBytes ? await sizeOf(path) : size;
  }
}

async function sizeOf(path: string): Promise<number> {
  return (await stat(path).catch(() => undefined))?.size ?? 0;
}

async function readEnd(path: string, size: number, bytes: number): Promise<Buffer> {
  const file = await open(path, 'r');
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(bytes), 0, bytes, Math.max(0, size - bytes));
    return buffer.subarray(0, bytesRead);
  } finally {
    await file.close();
  }
}

/** A line of our own, whatever the last one of the guest has come to. */
function note(text: string): string {
  return `\n[berth: ${text}]\n`;
}
