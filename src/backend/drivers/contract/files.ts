/** The files of a runtime outside of its volumes. */
import type { VolumeFiles } from '../../files/volume-files';

export interface RootFiles {
  /**
   * All files as its shell sees them, whatever is mounted where: through one that runs. Of one that does not they can be
   * read where `features.stoppedFiles` says so, not changed: `illegal_state`, with what to do.
   */
  rootFiles(name: string): Promise<VolumeFiles>;
}
