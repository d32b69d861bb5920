import { BerthError } from '../../../../api/errors';
import type { TarSource } from '../../../tar/flow';
import { isOwnName } from '../../../../api/rules/volume-path';
import type { VolumeFiles } from '../../../files/volume-files';
import type { OperationContext } from '../../operations/operation-context';

/** Where a file system keeps what it has found. */
const lostFound = 'lost+found';

/**
 * Files of a tar become all that there is in a volume that nobody uses: with owners, modes, times and attributes, those
 * of its root too. What is in the tar with rights of somebody else keeps them: the volume is that of the workspace it
 * comes from. Throws `bad_request` for files that can't be written, `internal` for some that were not put in place.
 */
export async function fillVolume(
  files: VolumeFiles,
  content: AsyncGenerator<Buffer>,
  context: OperationContext,
): Promise<void> {
  const stage = await files.stage();
  try {
    const { lost, failed } = await files.putTar(stage, sourceOf(content), context.signal, {
      keepRights: true,
    });
    const [first] = failed;
    if (first !== undefined) {
      throw new BerthError(
        'bad_request',
        `${failed.length} files can't be written, ${JSON.stringify(first.path)} first: ${first.reason}.`,
      );
    }
    lost.forEach(({ what, count, first: path }) => {
      context.warn(
        `${files.volume}: ${what} was not kept of ${count} files, of ${JSON.stringify(path)} first.`,
      );
    });
    await empty(files);
    const result = await files.merge(stage, '/', 'overwrite', { dressed: true });
    const [left] = result.failed;
    if (left !== undefined) {
      throw new BerthError(
        'internal',
        `${result.failed.length} files were not put in place, ${JSON.stringify(left.path)} first: ${left.reason}.`,
      );
    }
  } finally {
    await files.unstage(stage);
  }
}

/** What an image has put there. */
async function empty(files: VolumeFiles): Promise<void> {
  const { entries } = await files.list('/');
  for (const { name } of entries) {
    if (!isOwnName(name) && name !== lostFound) {
      await files.remove(`/${name}`, { recursive: true });
    }
  }
}

function sourceOf(content: AsyncGenerator<Buffer>): TarSource {
  return {
    next: async () => {
      const next = await content.next();
      return next.done === true ? undefined : next.value;
    },
    release: () => undefined,
    close: async () => {
      await content.return(undefined);
    },
  };
}
