/** What a new workspace is made of before anything was chosen: what works on this machine. */
import { imageByDefault, workspaceImage } from '../../../api/rules/image-reference';
import type { EngineInfo, Image, RuntimeKind } from '../../../api';
import type { WorkspaceDraft } from './draft';

interface Machine {
  info: Pick<EngineInfo, 'defaultImage'> & { drivers: readonly Driver[] };
  images: readonly Pick<Image, 'tags'>[];
}

type Driver = Pick<EngineInfo['drivers'][number], 'runtime' | 'available'>;

/** Changes the draft, where what it says can't work here and something else does. */
export function preselect(draft: Pick<WorkspaceDraft, 'runtime' | 'image'>, machine: Machine): void {
  draft.runtime = usableRuntime(draft.runtime, machine.info.drivers);
  if (draft.image === '') {
    const image = usableImage(draft.runtime, machine);
    draft.image = image === machine.info.defaultImage ? '' : image;
  }
}

/** Whether the default image is there, can be built, or comes from a registry. */
export function canHaveDefaultImage(machine: Machine): boolean {
  return usableImage('microvm', machine) === machine.info.defaultImage;
}

function usableImage(runtime: RuntimeKind, { info, images }: Machine): string {
  return imageByDefault({
    runtime,
    wanted: info.defaultImage,
    isThere: images.some(({ tags }) => tags.includes(workspaceImage)),
    canBuild: info.drivers.some((driver) => driver.runtime === 'container' && driver.available),
  });
}

/** The wanted one, unless only another one works on this machine. */
function usableRuntime(wanted: RuntimeKind, drivers: readonly Driver[]): RuntimeKind {
  const usable = drivers.filter(({ available }) => available).map(({ runtime }) => runtime);
  return usable.includes(wanted) ? wanted : (usable[0] ?? wanted);
}
