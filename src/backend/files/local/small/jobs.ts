/**
 * What the thread for small files is given, and what it answers: many files at once, in the order of the jobs. The
 * numbers of files are in arrays of their own, as objects are slow to send.
 */

/** `contents` has the files one after the other; `times` are milliseconds. Never takes the place of a file. */
export interface WriteJob {
  write: string[];
  sizes: Float64Array;
  modes: Float64Array;
  times: Float64Array;
  contents: Uint8Array;
}

export interface ReadJob {
  read: string[];
  sizes: Float64Array;
}

export type Job = WriteJob | ReadJob;

/** `code`: that of the system, where it is an error of the system. */
export interface Failure {
  index: number;
  message: string;
  code: string | undefined;
}

/** `contents`: what was read, each file's as long as was asked for; empty after writing. */
export interface Answer {
  failures: Failure[];
  contents: Uint8Array;
}
