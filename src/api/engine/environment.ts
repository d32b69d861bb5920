/** What an engine is started with for itself alone: what it starts in its turn gets the environment that the user has. */

type Environment = Readonly<Record<string, string | undefined>>;

const arenas = 'MALLOC_ARENA_MAX';
/** Marks a value as not the user's. */
const isOurs = 'BERTH_OWN_ARENAS';

/**
 * For the start of an engine. glibc keeps free memory for each thread: 10 MiB of an engine that has made a few hundred
 * workspaces. What the user has set counts.
 */
export function forEngine(env: Environment): Record<string, string | undefined> {
  return env[arenas] === undefined ? { ...env, [arenas]: '2', [isOurs]: '1' } : { ...env };
}

/** Takes what `forEngine` has added out of the environment of this process, which has read it by now. */
export function forChildren(env: Record<string, string | undefined>): void {
  if (env[isOurs] !== undefined) {
    Reflect.deleteProperty(env, arenas);
    Reflect.deleteProperty(env, isOurs);
  }
}
