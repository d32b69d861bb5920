import { BerthError } from '../../../api/errors';

/** Volumes whose files are kept just now because they are about to be deleted: what is written meanwhile would be lost. */
export class LeavingVolumes {
  private readonly names = new Set<string>();

  /** Until the answer is called. */
  close(names: readonly string[]): () => void {
    names.forEach((name) => this.names.add(name));
    return () => names.forEach((name) => this.names.delete(name));
  }

  /** Throws `in_use` for one of them. */
  refuse(name: string): void {
    if (this.names.has(name)) {
      throw new BerthError('in_use', `The volume ${name} is being deleted.`, {
        hint: 'Try again in a moment.',
      });
    }
  }
}
