import { aborted } from '../aborted';

/** A step that a test holds open. */
export interface Gate {
  entered: Promise<void>;
  open: () => void;
}

/** Where the steps of a fake wait for a test. */
export class Gates {
  private readonly closed = new Map<string, { enter: () => void; opened: Promise<void> }>();

  /** The next step of that name waits until the gate is opened, or the step is cancelled. */
  hold(step: string): Gate {
    let enter = (): void => undefined;
    let open = (): void => undefined;
    const entered = new Promise<void>((resolve) => (enter = resolve));
    const opened = new Promise<void>((resolve) => (open = resolve));
    this.closed.set(step, { enter, opened });
    return { entered, open };
  }

  /** Throws when the step was cancelled. */
  async pass(step: string, signal?: AbortSignal): Promise<void> {
    const gate = this.closed.get(step);
    if (gate !== undefined) {
      this.closed.delete(step);
      gate.enter();
      await (signal === undefined ? gate.opened : Promise.race([gate.opened, aborted(signal)]));
    }
    signal?.throwIfAborted();
  }
}
