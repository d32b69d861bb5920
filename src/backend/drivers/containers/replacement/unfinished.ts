/** What of a list of containers stands for a runtime: none that is being made, or waits for its successor to answer. */
import type { RuntimeInfo } from '../../driver';
import type { Runtimes } from '../runtime/runtimes';
import type { Replacements } from './replacements';

interface Listed {
  runtimes: Pick<Runtimes, 'list'>;
  replacements: Replacements;
}

/** The list, healed where an engine was killed in the middle. `inspect` heals one of them, and answers it. */
export async function withoutUnfinished(
  { runtimes, replacements }: Listed,
  inspect: (name: string) => Promise<RuntimeInfo | undefined>,
): Promise<RuntimeInfo[]> {
  const listed = await withoutDrafts({ runtimes, replacements });
  const names = new Set(listed.map(({ name }) => name));
  const alone = listed
    .filter((info) => replacements.isAside(info))
    .map(({ name }) => replacements.withoutSuffix(name))
    .filter((name) => !names.has(name));
  const healed = await Promise.all(alone.map(inspect));
  return [...listed, ...healed.filter((info) => info !== undefined)].filter(
    (info) => !replacements.isAside(info),
  );
}

/** One that is being made goes when its engine was killed: the old one is as it was. */
async function withoutDrafts({ runtimes, replacements }: Listed): Promise<readonly RuntimeInfo[]> {
  const listed = await runtimes.list();
  const drafts = listed.filter((info) => replacements.isDraft(info));
  const healed = await Promise.all(drafts.map(({ name }) => replacements.healMove(name)));
  const seen = healed.includes(true) ? await runtimes.list() : listed;
  return seen.filter((info) => !replacements.isDraft(info));
}
