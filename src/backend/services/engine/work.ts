/**
 * What the engine is doing for somebody beside operations: attached processes, commands, files being read and written.
 * It is cut off when the engine ends, so an engine with work does not hand over; and it is named when the engine fails.
 */
export class Work {
  private readonly running = new Map<symbol, string>();

  /** Begins one, e.g. `a terminal or command in demo`; the answer ends it. */
  begin(what: string): () => void {
    const token = Symbol(what);
    this.running.set(token, what);
    return () => void this.running.delete(token);
  }

  get all(): string[] {
    return [...this.running.values()];
  }
}
