/** How far bytes of an image have come, in either direction. */
export interface PullProgress {
  /** Bytes over all layers known so far. */
  done: number;
  total: number;
  current: string;
}
