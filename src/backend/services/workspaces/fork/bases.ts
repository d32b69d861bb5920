/** Ids of snapshots, and images, that forks are just being made of. */
export class ForkBases {
  private readonly held = new Map<string, number>();

  /** Until the answer is called. */
  hold(bases: readonly string[]): () => void {
    bases.forEach((each) => this.held.set(each, (this.held.get(each) ?? 0) + 1));
    return () => {
      bases.forEach((each) => this.held.set(each, (this.held.get(each) ?? 1) - 1));
    };
  }

  isHeld(base: string): boolean {
    return (this.held.get(base) ?? 0) > 0;
  }
}
