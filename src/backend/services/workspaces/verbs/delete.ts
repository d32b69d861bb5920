import type { Operation } from '../../../../api/operations/schemas';
import { isSettled, kindOf, refuseProtected, transitions } from '../../../../api/rules/lifecycle';
import { ownVolumeKey, refuseGuardedVolume } from '../../volumes/protection';
import { ownVolumesOf } from '../../../../api/workspaces/own-volumes';
import { eraseWorkspace, type Removal } from '../erase';
import type { VerbDeps } from './run-verb';

const beginning = (name: string, title: string) =>
  ({ kind: kindOf('delete'), title, workspace: name, cancellable: false }) as const;

/**
 * With its home and Docker volumes, unless told to keep them; named volumes stay always. Or only forgets it. Whatever is under way on it is
 * ended first, so it has a frame of its own.
 */
export function remove(deps: VerbDeps, name: string, removal: Removal): Operation {
  const { registry, operations } = deps;
  refuseGuarded(deps, name, removal);
  const { state } = registry.get(name);
  const underWay = isSettled(state) ? [] : operations.idsOf(name);
  if (underWay.length === 0) {
    registry.begin('delete', name);
  }
  const title = `${transitions.delete.title} workspace ${name}`;
  return operations.start(beginning(name, title), async (context) => {
    if (underWay.length > 0) {
      await context.step('cancel', 'End what is under way', () => operations.end(underWay));
      if (registry.find(name) === undefined) {
        return { deleted: [] };
      }
      refuseGuarded(deps, name, removal);
      registry.begin('delete', name);
    }
    const before = isSettled(state) ? state : 'stopped';
    return eraseWorkspace(deps, { name, before, ...removal }, context);
  });
}

/** Throws `illegal_state` where the workspace is protected, or a volume that would go with it. */
function refuseGuarded(deps: VerbDeps, name: string, removal: Removal): void {
  const record = deps.registry.get(name);
  refuseProtected('delete', record);
  if (removal.keepVolumes !== true && removal.forget !== true) {
    const { driver } = deps.runtimes.of(record);
    ownVolumesOf(record).forEach((volume) => refuseGuardedVolume(deps, ownVolumeKey(driver, record, volume)));
  }
}

/** Goes on with a delete that was cut off: what was to be kept of it is in the trash. */
export function finishRemoval(deps: VerbDeps, name: string, keepVolumes: boolean): Operation {
  return deps.operations.start(beginning(name, `Finish deleting workspace ${name}`), (context) =>
    eraseWorkspace(deps, { name, keepVolumes, now: true, before: 'error' }, context),
  );
}
