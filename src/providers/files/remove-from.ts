/** What VS Code deletes: a folder with all that is in it as an operation, with progress, which can be cancelled. */
import { BerthError, asBerthError } from '../../api';
import type { Task } from '../../ui/runner';
import type { VolumePlace } from './volume-uri';

/** Resolves when it is gone. Throws what was in the way, `internal` for what was left. */
export async function removeFrom(
  { client, follow, signal }: Pick<Task, 'client' | 'follow' | 'signal'>,
  { volume, path }: VolumePlace,
  recursive: boolean,
): Promise<void> {
  try {
    await client.call('files.remove', { params: { volume }, body: { path }, signal });
  } catch (error) {
    if (!recursive || asBerthError(error).code !== 'directory_not_empty') {
      throw error;
    }
    const begun = await client.call('removals.create', {
      query: { wait: 0 },
      body: { volume, paths: [path] },
    });
    const [first] = (await follow(begun)).warnings;
    if (first !== undefined) {
      throw new BerthError('internal', first);
    }
  }
}
