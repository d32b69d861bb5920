/** Which paths are looked at: globs as VS Code's search has them. */
import { Minimatch } from 'minimatch';
import { BerthError } from '../../../../api/errors';
import { splitGlobs } from '../../../../api/rules/globs';
import { withinTime } from '../../../machine/within-time';

/** For the names of one folder. */
const maxMs = 500;

/** Which of these paths, relative to where the search begins, match. Throws `bad_request` for globs that take too long. */
export type Selection = (paths: readonly string[]) => ReadonlySet<string>;

/** Undefined where there are no globs. */
export function selectionOf(field: string, globs = ''): Selection | undefined {
  const matchers = splitGlobs(globs)
    .map(tidied)
    .filter((glob) => glob !== '')
    .flatMap((glob) => matchersOf(glob));
  if (matchers.length === 0) {
    return undefined;
  }
  return (paths) => {
    const answer = withinTime(
      maxMs,
      () => new Set(paths.filter((path) => matchers.some((matcher) => matcher.match(path)))),
    );
    if (answer === undefined) {
      throw new BerthError('bad_request', 'The globs take too long.', {
        field,
        hint: 'Use fewer asterisks.',
      });
    }
    return answer.value;
  };
}

const tidied = (glob: string): string =>
  glob
    .trim()
    .replace(/^\.?\//, '')
    .replace(/\/$/, '');

/** What matches a folder matches all in it. */
function matchersOf(glob: string): Minimatch[] {
  const anywhere = glob.includes('/') ? glob : `**/${glob}`;
  const options = { dot: true, nocomment: true, nonegate: true, braceExpandMax: 100 };
  return [anywhere, `${anywhere}/**`].map((pattern) => new Minimatch(pattern, options));
}
