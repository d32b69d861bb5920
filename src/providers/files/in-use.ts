import { workspaceOfRoot } from '../../api/rules/root-files';
import type { Store } from '../../ui/store';

/** Whether something runs in a volume, or the workspace whose root file system it is: then files may change by themselves. */
export function isInUse(store: Pick<Store, 'volume' | 'workspace'>, name: string): boolean {
  const workspace = workspaceOfRoot(name);
  return workspace === undefined
    ? store.volume(name)?.holders.some(({ state }) => state === 'running') === true
    : store.workspace(workspace)?.state === 'running';
}
