/**
 * Images that runtimes are made of, and those that are made of runtimes.
 *
 * The order of calls: what is made of an image needs it first, by `pull`, `load`, `build` or `commit`; `prepare` may follow,
 * and nothing depends on it. What may run at once: all of them, also for one name, whose last writer has it; builds wait for
 * each other. A `remove` beside a `create` of a runtime from it is done before it, which then throws `image_missing`, or throws `in_use`.
 */
import type { Readable } from 'node:stream';
import type { Image } from '../../../api/engine/schemas';
import type { PullProgress } from '../../images/pull-progress';

/** To be read to its end, or destroyed. */
export interface SavedImage {
  /** As `docker load` takes it. Fails with a `BerthError` when the rest can't be had. */
  tar: Readable;
  /** About what is to come; 0 where it is not known. */
  totalBytes: number;
}

export interface ImageBuild {
  noCache: boolean;
  toolsOnly: boolean;
  imageOnly?: boolean;
}

export interface ImageStore {
  list(): Promise<Image[]>;
  /** Id of the image, or undefined when it is not there. */
  resolve(image: string): Promise<string | undefined>;
  pull(image: string, progress: (p: PullProgress) => void, signal: AbortSignal): Promise<void>;
  /**
   * Does beforehand what else a runtime would wait for; missing where there is nothing to do. Answers in words what of
   * the image can't be had.
   */
  prepare?(
    image: string,
    progress: (p: PullProgress) => void,
    signal: AbortSignal,
  ): Promise<readonly string[]>;
  /** To its registry. */
  push(image: string, progress: (p: PullProgress) => void, signal: AbortSignal): Promise<void>;
  save(image: string, signal: AbortSignal): Promise<SavedImage>;
  /**
   * Takes in what `save` of any driver has written: one image, under that name and no other. Throws `bad_request` for
   * what is none, and `not_supported` for one of another kind of machine; then nothing of it is left.
   */
  load(image: string, tar: Readable, signal: AbortSignal): Promise<void>;
  /** Takes the name away, and the image when it has no other; throws `in_use`. */
  remove(image: string): Promise<void>;
  /**
   * Builds what the driver itself needs, and `workspace:latest`; without the one (`toolsOnly`) or, where it takes time that can wait
   * (the kernel of microVMs), the other (`imageOnly`). Several builds at once are done one after the other.
   */
  build(
    options: ImageBuild,
    step: <T>(name: string, title: string, run: () => Promise<T>) => Promise<T>,
    line: (text: string) => void,
    signal: AbortSignal,
  ): Promise<void>;
}

/** What is to become of a runtime's own files. */
export interface CommitPlan {
  /** The name of the image. */
  image: string;
  /** Absolute paths of files that were put in at start, and must not be in an image. */
  without: readonly string[];
  /** Only runtimes of this engine are to be made of it, for now: it may be in any form that is quick. */
  isLocal?: boolean;
  /** Called with what is to be known of the image, in words. */
  warn?: (text: string) => void;
}

export interface Commit {
  /**
   * Makes an image of a runtime's own files, volumes excepted; answers the image's id. Throws `illegal_state` where
   * `features.commit` does not take it as it is.
   */
  commit(
    name: string,
    plan: CommitPlan,
    progress: (p: PullProgress) => void,
    signal: AbortSignal,
  ): Promise<string>;
}
