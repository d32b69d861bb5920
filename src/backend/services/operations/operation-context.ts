import type { Progress } from '../../../api/operations/schemas';

/** A part of an operation, announced before it begins. */
export interface PlannedStep {
  /** A stable key, e.g. `clone`. */
  name: string;
  /** For people. */
  title: string;
}

/** As long as a timer can wait, in ms: 24 days. For who follows an operation of its own. */
export const untilItEnds = 2 ** 31 - 1;

/** What a long-running job sees of the operation that it runs in. */
export interface OperationContext {
  /** Aborted when somebody cancels: the job cleans up and throws. */
  readonly signal: AbortSignal;
  progress(progress: Progress): void;
  /** Something went wrong without failing the whole. */
  warn(text: string): void;
  /** Runs a part that is shown with its own time and outcome: in the place of the one that was planned by its name. */
  step<T>(name: string, title: string, run: () => Promise<T>): Promise<T>;
}
