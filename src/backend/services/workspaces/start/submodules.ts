/** Submodules that are got one by one: none of a repository's may take all of the time, or fill a record with words. */

/** For all of them together, each of which may take what is left. */
export const submodulesTimeoutMs = 30 * 60_000;
const maxNamed = 10;
const maxReason = 300;
const maxPath = 100;

/**
 * Tries each while there is time; answers in words what has not come. `attempt` gets the time that is left, and answers
 * why it failed, if it did.
 */
export async function tryEach(
  paths: readonly string[],
  attempt: (path: string, timeoutMs: number) => Promise<string | undefined>,
  now: () => number = Date.now,
): Promise<string | undefined> {
  const end = now() + submodulesTimeoutMs;
  const named: string[] = [];
  let others = 0;
  for (const [index, path] of paths.entries()) {
    const left = end - now();
    if (left <= 0) {
      named.push(`${paths.length - index} more, as ${submodulesTimeoutMs / 60_000} min were over`);
      break;
    }
    const reason = await attempt(path, left);
    if (reason !== undefined && named.length < maxNamed) {
      named.push(`${cut(path, maxPath)} (${cut(reason, maxReason)})`);
    } else if (reason !== undefined) {
      others++;
    }
  }
  const all = others > 0 ? [...named, `and ${others} others`] : named;
  return all.length === 0 ? undefined : all.join('; ');
}

/** The end says why. */
function cut(text: string, max: number): string {
  return text.length > max ? `…${text.slice(-max)}` : text;
}
