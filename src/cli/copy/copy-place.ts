import type { VolumePath } from '../remote';
import type { TypedPaths } from '../typed-paths';

/** One end of a copy: a path of this machine, or one in a volume. */
export type CopyPlace = { local: string } | VolumePath;

/** How the command line was written. */
export interface CopyWords {
  /** Where paths of this machine start. */
  cwd: string;
  /** Learns how paths of volumes were typed. */
  paths: TypedPaths;
}
