import { Cancelled } from '../../../ui/runner';

/** Does it for each, in their order; those whose dialog the user closes are passed over. */
export async function oneByOne<T>(things: readonly T[], act: (thing: T) => Promise<void>): Promise<void> {
  for (const thing of things) {
    try {
      await act(thing);
    } catch (thrown) {
      if (!(thrown instanceof Cancelled)) {
        throw thrown;
      }
    }
  }
}
