/**
 * Small files that a thread reads: many at once, in the order of the jobs. The numbers of files are in arrays of their own, as
 * objects are slow to send.
 */
export interface ReadJob {
  read: string[];
  sizes: Float64Array;
}

/** `code`: that of the system, where it is an error of the system. */
export interface Failure {
  index: number;
  message: string;
  code: string | undefined;
}

/** `contents`: what was read, each file's as long as was asked for. */
export interface ReadAnswer {
  failures: Failure[];
  contents: Uint8Array<ArrayBuffer>;
}
