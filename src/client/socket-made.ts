/** Tells when a socket appears: somebody started an engine. */
import { existsSync, watch } from 'node:fs';
import { basename, dirname } from 'node:path';

/** Nothing is told where a socket is no file (Windows), or where its folder can't be watched. */
export function onSocketMade(path: string, listener: () => void): { dispose(): void } {
  try {
    const watcher = watch(dirname(path), { persistent: false }, (_event, name) => {
      if (name === basename(path) && existsSync(path)) {
        listener();
      }
    });
    watcher.on('error', () => watcher.close());
    return { dispose: () => watcher.close() };
  } catch {
    return { dispose: () => undefined };
  }
}
