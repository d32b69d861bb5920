/** What drivers tell of images, as progress of operations. */
import type { Driver, PullProgress } from '../drivers/driver';
import type { OperationContext } from './operation-context';

/** Progress of a driver as that of an operation. */
export function inBytes(context: OperationContext): (now: PullProgress) => void {
  return ({ done, total, current }) => context.progress({ unit: 'bytes', done, total, current });
}

/** Where a runtime would wait for something that is made of its image: a step of its own, that can be cancelled. */
export async function prepareImage(
  { images }: Driver,
  image: string,
  context: OperationContext,
): Promise<void> {
  if (images.prepare !== undefined) {
    const prepare = images.prepare.bind(images);
    const leftOut = await context.step('prepare', 'Prepare the image', () =>
      prepare(image, inBytes(context), context.signal),
    );
    leftOut.forEach((line) => context.warn(`The image ${image}: ${line}`));
  }
}
