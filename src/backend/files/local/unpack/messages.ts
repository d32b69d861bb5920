/** What the engine and the thread that unpacks a tar tell each other. The thread answers each step once, in their order. */

/** Where entries go: to their own names, to those without their first part, or below a name that takes the place of that part. */
export interface Renaming {
  /** Parts at the front of each name that are left out. */
  drop: number;
  /** What is put there instead. */
  prefix: readonly string[];
}

/**
 * `buffers` are shared: to hand memory over and back for each piece of a large file would keep both garbage collectors busy.
 * `chunk` is the index of the one that is the thread's until it answers, and `length` what is in it. `seal`: attributes that
 * were refused, by the index of their file, or all of them. `stop` is a number of 32 bits: what is under way ends once it is not 0.
 */
export type UnpackStep =
  | { begin: string; renaming: Renaming; buffers: readonly SharedArrayBuffer[]; stop: SharedArrayBuffer }
  | { chunk: number; length: number }
  | { finish: true }
  | { seal: readonly [index: number, name: string][] | 'all' }
  | { abandon: true };

/** Why a step could not be done. `isFatal`: the disk takes nothing more. */
export interface UnpackFailure {
  message: string;
  code: string | undefined;
  isFatal: boolean;
}

/** What came of a step. */
export interface UnpackAnswer {
  /** The buffer that can be filled again. */
  chunk?: number;
  /** Bytes of content, and the file that the last of them were of. */
  received: number;
  current: string;
  failed: [name: string, reason: string][];
  lost: [name: string, attributes: readonly string[]][];
  /** A line for `applyFacts`. */
  facts?: Uint8Array<ArrayBuffer>;
  /** Of `finish`: whether the tar had an end. */
  ended: boolean;
  /** Files and links that are there. */
  files: number;
  failure?: UnpackFailure;
}
