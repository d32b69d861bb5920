/**
 * Keeps the console log of a machine that runs within bounds: QEMU appends to it whatever the guest says. Looked at only
 * after something was said, and at most once a second.
 */
import { watch, type FSWatcher } from 'node:fs';
import { appendFile, open, stat, truncate } from 'node:fs/promises';
import type { Log } from '../containers/log';

const lookMs = 1_000;

export interface ConsoleLimits {
  maxBytes: number;
  /** The end, which stays when the log has grown beyond that. */
  keptBytes: number;
}

const ownLimits: ConsoleLimits = { maxBytes: 8 * 1024 * 1024, keptBytes: 256 * 1024 };

/** Until the returned function is called. */
export function limitConsole(path: string, log: Log, limits = ownLimits): () => void {
  let watcher: FSWatcher | undefined;
  let timer: NodeJS.Timeout | undefined;
  let hasEnded = false;
  const wait = (): void => {
    if (hasEnded) {
      return;
    }
    try {
      watcher = watch(path, { persistent: false });
      watcher.once('change', lookLater).once('error', lookLater);
    } catch {
      // There is no log (yet): who runs writes one, and is looked at with the next connection.
    }
  };
  // A guest that floods it must not wake the engine more often than that.
  const lookLater = (): void => {
    watcher?.close();
    timer = setTimeout(() => void look(), lookMs).unref();
  };
  const look = async (): Promise<void> => {
    await trim(path, limits).catch((error: unknown) => {
      log.warn({ path, error: String(error) }, 'a console log could not be shortened');
    });
    wait();
  };
  void look();
  return () => {
    hasEnded = true;
    clearTimeout(timer);
    watcher?.close();
  };
}

/** QEMU has it open for appending: what it writes next stands behind what is kept. */
async function trim(path: string, { maxBytes, keptBytes }: ConsoleLimits): Promise<void> {
  const { size } = await stat(path);
  if (size <= maxBytes) {
    return;
  }
  const file = await open(path, 'r');
  let kept: Buffer;
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(keptBytes), 0, keptBytes, size - keptBytes);
    kept = buffer.subarray(0, bytesRead);
  } finally {
    await file.close();
  }
  await truncate(path, 0);
  const whole = kept.subarray(kept.indexOf(10) + 1);
  await appendFile(path, Buffer.concat([Buffer.from('[berth: what was said before is left out]\n'), whole]));
}
