/** `workspace:latest` is built where it is missing: once for all that wait for it, until the last of them is cancelled. */
import { workspaceImage } from '../../../api/rules/image-reference';
import type { Driver, ImageStore } from '../../drivers/driver';
import { SharedWork } from '../../images/shared-work';
import type { OperationContext } from '../operations/operation-context';

const builds = new WeakMap<ImageStore, SharedWork<void>>();

/** As a step of what needs it. Throws what a build does, and `cancelled`. */
export async function buildMissing(
  { images }: Pick<Driver, 'images'>,
  context: OperationContext,
): Promise<void> {
  const shared = builds.get(images) ?? new SharedWork();
  builds.set(images, shared);
  await context.step('build', `Build ${workspaceImage}`, () => {
    const progress = ({ done, current }: { done: number; current: string }): void =>
      context.progress({ unit: 'steps', done, current: current.slice(0, 200) });
    return shared.join(workspaceImage, { progress, signal: context.signal }, (all) => {
      let done = 0;
      const line = (current: string): void => {
        done += 1;
        all.progress({ done, total: 0, current });
      };
      const step = <T>(_: string, title: string, run: () => Promise<T>): Promise<T> => {
        line(title);
        return run();
      };
      return images.build({ noCache: false, toolsOnly: false, imageOnly: true }, step, line, all.signal);
    });
  });
}
