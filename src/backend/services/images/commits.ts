/** Runtimes become images, which other workspaces can be made of. */
import { posix } from 'node:path';
import type { Operation } from '../../../api/operations/schemas';
import type { Drivers } from '../engine/drivers';
import { checkNewImageName } from './image-names';
import { inBytes } from './image-progress';
import { credentialTargets } from '../workspaces/start/injected-files';
import { isUsable, notWhile } from '../../../api/rules/lifecycle';
import type { Operations } from '../operations/operations';
import { runtimeNameOf, type WorkspaceRecord } from '../workspaces/record';
import type { WorkspaceRegistry } from '../workspaces/registry';

/** The home volume, by both its names. */
const homes = ['/home/workspace/', '/workspace/'];

export class Commits {
  constructor(
    private readonly registry: WorkspaceRegistry,
    private readonly drivers: Drivers,
    private readonly operations: Operations,
  ) {}

  commit(name: string, image: string): Operation {
    const record = this.registry.get(name);
    checkNewImageName(image);
    if (!isUsable('commit', record.state)) {
      throw notWhile(record.state, name, "it can't be committed");
    }
    const begin = { kind: 'workspace.commit', title: `Commit ${name} to ${image}`, workspace: name };
    return this.operations.start(begin, async (context) => {
      const driver = this.drivers.of(record.spec.runtime);
      const plan = { image, without: await injectedInto(record) };
      const commit = (): Promise<string> =>
        driver.commit(runtimeNameOf(name), plan, inBytes(context), context.signal);
      const title = `Read the files of ${name}, which is paused meanwhile`;
      // A microVM refuses while it runs.
      const isPaused = record.state === 'running' && record.spec.runtime === 'container';
      const id = await (isPaused ? context.step('commit', title, commit) : commit());
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
