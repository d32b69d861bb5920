/**
 * The root file systems of workspaces that do not run: they can be read, not changed. VS Code asks once whether a file can
 * be written; a change of that has to be reported.
 */
import { workspaceOfRoot } from '../../api/rules/root-files';
import type { Disposable } from '../../ui/signal';
import type { Store } from '../../ui/store';

/** Whether that is the root file system of a workspace that does not run. */
export function isFixedRoot(store: Pick<Store, 'workspace'>, volume: string): boolean {
  const name = workspaceOfRoot(volume);
  const workspace = name === undefined ? undefined : store.workspace(name);
  return workspace !== undefined && workspace.state !== 'running';
}

export class FixedRoots implements Disposable {
  /** What was last answered, by root file system. */
  private readonly answered = new Map<string, boolean>();
  private readonly listening: Disposable;

  /** `changed`: files of that root file system became writable, or are so no longer. */
  constructor(
    private readonly store: Pick<Store, 'workspace' | 'onDidChange'>,
    private readonly changed: (volume: string) => void,
  ) {
    this.listening = store.onDidChange(() => this.compare());
  }

  /** Also remembers the answer: a later one that differs is reported. */
  has(volume: string): boolean {
    const isFixed = isFixedRoot(this.store, volume);
    if (workspaceOfRoot(volume) !== undefined) {
      this.answered.set(volume, isFixed);
    }
    return isFixed;
  }

  dispose(): void {
    this.listening.dispose();
  }

  private compare(): void {
    for (const [volume, wasFixed] of this.answered) {
      if (isFixedRoot(this.store, volume) !== wasFixed) {
        this.answered.set(volume, !wasFixed);
        this.changed(volume);
      }
    }
  }
}
