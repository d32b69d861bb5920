/** Changes of the files of a volume, whichever agent tells of them. */
import type { FileChange } from '../../../api/files/schemas';
import type { AgentAccess } from './access';
import { changesOf, numberOf } from './replies';

/** Watches, and watches again with a new agent when the old one goes. */
export async function follow(
  access: AgentAccess,
  path: string,
  recursive: boolean,
  listener: (changes: FileChange[]) => void,
  signal: AbortSignal,
  stop: () => void,
): Promise<void> {
  const changes = (rows: unknown): void => listener(changesOf(rows));
  const channel = await access.channel();
  const { ok } = await channel.request('watch', { path, recursive }, { changes });
  const watch = numberOf(ok.watch, 'a watch');
  const unwatch = (): void => {
    channel.forget(watch);
    channel.request('unwatch', { watch }).catch(() => undefined);
  };
  if (signal.aborted) {
    unwatch();
    return;
  }
  signal.addEventListener('abort', unwatch, { once: true });
  void channel.closed.then(async () => {
    signal.removeEventListener('abort', unwatch);
    if (signal.aborted) {
      return;
    }
    try {
      await follow(access, path, recursive, listener, signal, stop);
      listener([{ type: 'changed', path }]); // what happened in between is not known
    } catch {
      listener([{ type: 'deleted', path }]);
      stop();
    }
  });
}
