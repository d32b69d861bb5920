/**
 * A new runtime on the same volumes. What the old one has outside of them is named before it goes, and goes only when
 * the new one has answered: until then the old one waits aside, and comes back when the new one fails.
 */
import { BerthError } from '../../api/errors';
import type { Driver } from '../drivers/driver';
import type { Log } from './log';
import type { OperationContext } from './operation-context';
import { describeOwnFiles, measureOwnFiles } from './own-files';
import type { StartOptions } from './runtime-preparation';
import { runtimeNameOf } from './workspace-record';
import type { WorkspaceRegistry } from './workspace-registry';
import type { WorkspaceStarter } from './workspace-starter';

export interface RebuildRequest extends StartOptions {
  /** Instead of the one it has. */
  image?: string;
  /** Without it a rebuild that removes files answers what these are. */
  confirm?: boolean;
}

export interface ReplacementParts {
  registry: WorkspaceRegistry;
  starter: WorkspaceStarter;
}

/** Throws `needs_confirmation`, naming what goes; where nothing would go there is nothing to confirm. */
export async function refuseUnconfirmed(name: string, driver: Driver, log: Log): Promise<void> {
  const runtime = runtimeNameOf(name);
  if ((await driver.inspect(runtime)) === undefined) {
    return;
  }
  const own = await measureOwnFiles(driver, runtime, log);
  if (own?.files === 0) {
    return;
  }
  throw new BerthError(
    'needs_confirmation',
    own === undefined
      ? `A rebuild of ${name} removes all that lies outside of its volumes.`
      : `A rebuild of ${name} removes what lies outside of its volumes: ${describeOwnFiles(own)}.`,
    {
      field: 'confirm',
      hint: `Volumes stay. \`berth commit ${name} IMAGE\` makes an image of it first.`,
    },
  );
}

/** `image` in place of what there is; answers whether it runs. Of a failure nothing is left but the old runtime. */
export async function replaceRuntime(
  { registry, starter }: ReplacementParts,
  name: string,
  { image, isToRun }: { image: string; isToRun: boolean },
  context: OperationContext,
): Promise<void> {
  const before = registry.get(name);
  const runtime = runtimeNameOf(name);
  const driver = starter.driverOf(before);
  const isThere = (await driver.inspect(runtime)) !== undefined;
  if (isThere) {
    await context.step('aside', 'Put the old runtime aside', () => driver.setAside(runtime));
  }
  try {
    await registry.update(name, { spec: { ...registry.get(name).spec, image } });
    await context.step('create', 'Create the new runtime', () => starter.build(name, context.signal));
    await (isToRun ? starter.start(name, context) : starter.tryOut(name, context));
  } catch (error) {
    if (isThere) {
      const { imageId, runtimeId, spec } = before;
      await driver.takeBack(runtime);
      const now = registry.get(name).spec;
      await registry.update(name, { imageId, runtimeId, spec: { ...now, image: spec.image } });
      context.warn('The new runtime did not work: the old one is back, with all its files.');
    }
    throw error;
  }
  const { warnings } = registry.get(name);
  const kept = warnings.filter(({ code }) => code !== 'limits' && code !== 'ports');
  await registry.update(name, { warnings: kept, ownFiles: undefined });
}
