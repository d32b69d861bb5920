/** The volumes of the session API: their names have a prefix, which callers may leave out. */
export const sessionPrefix = 'sandkasten-ws-';

export function isSessionVolume(name: string): boolean {
  return name.startsWith(sessionPrefix);
}

/** The whole name of the session volume with that id; the id may have the prefix already. */
export function sessionVolumeOf(id: string): string {
  return isSessionVolume(id) ? id : `${sessionPrefix}${id}`;
}
