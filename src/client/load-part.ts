import { BerthError } from '../api/errors';

/** A part of the extension that has a file of its own. Throws `gone` where an update has taken that away under an open window. */
export async function loadPart<T>(part: Promise<T>): Promise<T> {
  try {
    return await part;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'MODULE_NOT_FOUND') {
      throw new BerthError('gone', 'Berth was updated while this window was open: a part of it is gone.', {
        hint: 'Reload the window.',
        cause: error,
      });
    }
    throw error;
  }
}
