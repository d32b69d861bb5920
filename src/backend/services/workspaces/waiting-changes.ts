/** Changes that are on record and not in force yet: what each of them waits for. */
import type { Problem } from '../../../api/workspaces/schemas';

/** The code of what is said of limits that the next start puts in force. */
export const limitsAtStart = 'limits-at-start';

/** What a driver says of a change: the names of what it could not put in force while the runtime is as it is. */
export interface Waiting {
  needsRebuild: readonly string[];
  needsRestart?: readonly string[];
}

/** What the names stand for; one that is not here is a word already. */
const words: Readonly<Record<string, string>> = {
  cpus: 'CPUs',
  memoryMiB: 'memory',
  pids: 'processes',
  shmMiB: 'shared memory',
};
const inWords = (names: readonly string[]): string => names.map((name) => words[name] ?? name).join(', ');

/** The warnings of a workspace with one that says what a change waits for, or without the one of before. */
export function withWaiting(
  warnings: readonly Problem[],
  name: string,
  what: 'limits' | 'ports',
  { needsRebuild, needsRestart = [] }: Waiting,
): Problem[] {
  const atRebuild: Problem = {
    code: what,
    message: `Takes effect with the next rebuild: ${inWords(needsRebuild)}.`,
    hint: `\`berth rebuild ${name}\` keeps all volumes.`,
  };
  const atStart: Problem = {
    code: limitsAtStart,
    message: `Takes effect with the next start: ${inWords(needsRestart)}.`,
    hint: `\`berth restart ${name}\` does that.`,
  };
  const others = warnings.filter(
    ({ code }) => code !== what && !(needsRestart.length > 0 && code === limitsAtStart),
  );
  return [
    ...others,
    ...(needsRebuild.length > 0 ? [atRebuild] : []),
    ...(needsRestart.length > 0 ? [atStart] : []),
  ];
}
