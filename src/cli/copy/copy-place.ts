import type { VolumePath } from '../remote';

/** One end of a copy: a path of this machine, or one in a volume. */
export type CopyPlace = { local: string } | VolumePath;
