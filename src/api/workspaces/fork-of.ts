/**
 * Whether a workspace is a fork of another one. That may have been deleted, and its name be another's by now: what was forked
 * before a workspace was made is no fork of it.
 */
export function isForkOf(
  fork: { forkedFrom?: { workspace: string; at: string } | undefined },
  source: { name: string; createdAt: string },
): boolean {
  const { forkedFrom } = fork;
  return forkedFrom?.workspace === source.name && forkedFrom.at >= source.createdAt;
}
