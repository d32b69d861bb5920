/** The end of the engine, when a client asks for it. */
import type { Lifetime } from './lifetime';

export interface EndingDeps {
  lifetime: Pick<Lifetime, 'touch'>;
  /** What would be cut off if the engine ended now; undefined when nothing would. */
  reasonToStay: () => string | undefined;
  exit: () => void;
}

export interface EndingAnswer {
  stopping: boolean;
  /** Why it stays. */
  reason?: string;
}

export class Ending {
  constructor(private readonly deps: EndingDeps) {}

  /** What would be cut off if it ended now. */
  get reasonToStay(): string | undefined {
    return this.deps.reasonToStay();
  }

  /** Ends it; with `onlyIfIdle` only where nothing is cut off. Clients that only listen to events come back: what counts is work. */
  ask(onlyIfIdle: boolean): EndingAnswer {
    const { lifetime, reasonToStay, exit } = this.deps;
    const reason = onlyIfIdle ? reasonToStay() : undefined;
    if (reason !== undefined) {
      lifetime.touch();
      return { stopping: false, reason };
    }
    // After the answer is written: closing the server cuts what is not.
    setImmediate(exit);
    return { stopping: true };
  }
}
