/** What a new workspace is made of before anything was chosen: what works on this machine. */
import { isWorkspaceImage, workspaceImage } from '../../../api/rules/image-reference';
import type { EngineInfo, Image, RuntimeKind } from '../../../api';
import type { WorkspaceDraft } from './draft';

/** Pulled from its registry for microVMs where no container engine can build Berth's own image. */
export const pulledImage = 'debian:12';

interface Machine {
  info: Pick<EngineInfo, 'defaultImage'> & { drivers: readonly Driver[] };
  images: readonly Pick<Image, 'tags'>[];
}

type Driver = Pick<EngineInfo['drivers'][number], 'runtime' | 'available'>;

/** Changes the draft, where what it says can't work here and something else does. */
export function preselect(draft: Pick<WorkspaceDraft, 'runtime' | 'image'>, machine: Machine): void {
  draft.runtime = usableRuntime(draft.runtime, machine.info.drivers);
  if (draft.image === '' && draft.runtime === 'microvm' && !canHaveDefaultImage(machine)) {
    draft.image = pulledImage;
  }
}

/** Whether the default image is there, can be built, or comes from a registry. */
export function canHaveDefaultImage({ info, images }: Machine): boolean {
  return (
    !isWorkspaceImage(info.defaultImage) ||
    images.some(({ tags }) => tags.includes(workspaceImage)) ||
    info.drivers.some(({ runtime, available }) => runtime === 'container' && available)
  );
}

/** The wanted one, unless only another one works on this machine. */
function usableRuntime(wanted: RuntimeKind, drivers: readonly Driver[]): RuntimeKind {
  const usable = drivers.filter(({ available }) => available).map(({ runtime }) => runtime);
  return usable.includes(wanted) ? wanted : (usable[0] ?? wanted);
}
