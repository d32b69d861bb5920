/** The volumes of the session API: their names have a prefix, which callers may leave out. */
import { BerthError } from '../errors';

export const sessionPrefix = 'sandkasten-ws-';

/** Whether a volume was made by the session API, by its whole name. */
export function isSessionVolume(name: string): boolean {
  return name.startsWith(sessionPrefix);
}

/** The whole name of the session volume with that id; the id may have the prefix already. */
export function sessionVolumeOf(id: string): string {
  return isSessionVolume(id) ? id : `${sessionPrefix}${id}`;
}

/** What was given is an id alone, which deletes nothing: deleting a volume twice would delete the session volume as well. */
export function deletedByWholeName(given: string, whole: string): BerthError {
  return new BerthError('not_found', `There is no volume ${given}.`, {
    hint: `Only the whole name deletes a session volume: \`berth volume delete ${whole}\`.`,
    field: 'volume',
  });
}
