/** Tells when a socket appears: somebody started an engine. */
import { existsSync, watch, type FSWatcher } from 'node:fs';
import { basename, dirname } from 'node:path';

/** Nothing is reported where a socket is no file (Windows), or where its folder can't be watched. */
export function onSocketMade(path: string, listener: () => void): { dispose(): void } {
  let watcher: FSWatcher | undefined;
  const close = (): void => {
    watcher?.close();
    watcher = undefined;
  };
  // The folder of a socket may go with the engine, and come with the next one: until then, what holds it is watched.
  const follow = (): void => {
    close();
    const folder = dirname(path);
    const seen = existsSync(folder) ? path : folder;
    try {
      watcher = watch(dirname(seen), { persistent: false }, (_event, name) => {
        if (seen === path && !existsSync(folder)) {
          follow();
        } else if (name === basename(seen) && existsSync(seen)) {
          if (seen === folder) {
            follow();
          }
          if (existsSync(path)) {
            listener();
          }
        }
      });
      watcher.on('error', close);
    } catch {
      close();
    }
  };
  follow();
  return { dispose: close };
}
