/** Runtimes become images, which other workspaces can be made of. */
import { posix } from 'node:path';
import { BerthError } from '../../../api/errors';
import type { Operation } from '../../../api/operations/schemas';
import { checkNewImageName } from './image-names';
import { inBytes } from './image-progress';
import { credentialTargets } from '../workspaces/start/injected-files';
import { isAtRest, isUsable, notWhile } from '../../../api/rules/lifecycle';
import type { Operations } from '../operations/operations';
import { homeAlias, homeFolder } from '../../../api/rules/home-volume';
import type { WorkspaceRecord } from '../workspaces/record';
import type { WorkspaceRegistry } from '../workspaces/registry';
import type { Runtimes } from '../workspaces/runtime-handle';

/** The home volume, by both its names. */
const homes = [`${homeFolder}/`, `${homeAlias}/`];

export class Commits {
  constructor(
    private readonly registry: WorkspaceRegistry,
    private readonly runtimes: Runtimes,
    private readonly operations: Operations,
  ) {}

  /**
   * Makes an image of a workspace. Throws `illegal_state` in a state that does not allow it, `not_supported` for its
   * driver.
   */
  commit(name: string, image: string): Operation {
    const record = this.registry.get(name);
    checkNewImageName(image);
    if (!isUsable('commit', record.state)) {
      throw notWhile(record.state, name, "it can't be committed");
    }
    const runtime = this.runtimes.of(record);
    const { driver } = runtime;
    if (driver.commit === undefined) {
      throw new BerthError('not_supported', `Of a ${driver.kind} no image can be made.`);
    }
    if (driver.features.commit === 'stopped' && !isAtRest(record.state)) {
      throw new BerthError(
        'illegal_state',
        `${name} is ${record.state}: an image is made of a stopped ${driver.kind}.`,
        {
          hint: 'Stop the workspace first.',
        },
      );
    }
    const makeImage = driver.commit.bind(driver);
    const title = `Commit ${name} to ${image}`;
    const begin = { kind: 'workspace.commit', title, workspace: name } as const;
    return this.operations.start(begin, async (context) => {
      await this.runtimes.reach(record);
      const warn = (text: string): void => context.warn(text);
      const plan = { image, without: await injectedInto(record), warn };
      const commit = (): Promise<string> => makeImage(runtime.name, plan, inBytes(context), context.signal);
      const isPaused = record.state === 'running' && driver.features.commit === 'always';
      const id = await (isPaused
        ? context.step('commit', `Read the files of ${name}, which is paused meanwhile`, commit)
        : commit());
      return { image, id };
    });
  }
}

/** Files that Berth puts in at every start, outside of volumes; those below a folder one by one. */
export async function injectedInto({ spec }: Pick<WorkspaceRecord, 'spec'>): Promise<string[]> {
  const credentials = spec.credentialFiles ?? [];
  const there = (await credentialTargets(credentials)).map((target) => posix.normalize(target));
  // What is no longer on this machine may still be inside.
  const gone = credentials
    .map(({ target }) => posix.normalize(target))
    .filter((target) => !there.some((each) => each === target || each.startsWith(`${target}/`)));
  return [...there, ...gone].filter(
    (target) => target.startsWith('/') && !homes.some((home) => target.startsWith(home)),
  );
}
