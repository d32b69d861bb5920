/**
 * The files of a runtime outside of its volumes.
 *
 * May be asked for at any time between its `create` and `remove`, and as often as wanted at once; what was opened before a
 * `start`, `stop` or `remove` fails with `illegal_state` or `not_found`, and is asked for again.
 */
import type { VolumeFiles } from '../../files/volume-files';

export interface RootFiles {
  /**
   * All files as its shell sees them, whatever is mounted where: through one that runs. Of one that does not they can be
   * read where `features.stoppedFiles` says so, not changed: `illegal_state`, with what to do.
   */
  rootFiles(name: string): Promise<VolumeFiles>;
}
