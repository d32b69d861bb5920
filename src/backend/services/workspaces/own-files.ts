/** What runtimes have written outside of volumes: measured, and named before it goes. */
import { formatBytes } from '../../../api/rules/sizes';
import type { OwnFiles } from '../../../api/workspaces/schemas';
import type { Whose } from '../../drivers/driver';
import type { Log } from '../../machine/log';
import type { OperationContext } from '../operations/operation-context';
import type { WorkspaceRegistry } from './registry';
import type { RuntimeHandle, Runtimes } from './runtime-handle';

/** Code of the warning that an archive found no runtime any more. */
export const lostBeforeArchive = 'runtime-gone-before-archive';

/** `312 files, 84 MiB`; without a count where only the size is known. */
export function describeOwnFiles({ files, bytes }: Pick<OwnFiles, 'files' | 'bytes'>): string {
  const size = formatBytes(bytes);
  return files === undefined ? size : `${files} ${files === 1 ? 'file' : 'files'}, ${size}`;
}

/** Never fails: a size that can't be measured is no reason to end what asks for it. */
export async function measureOwnFiles(
  runtime: RuntimeHandle,
  log: Log,
  whose: Whose = {},
): Promise<OwnFiles | undefined> {
  try {
    const found = await runtime.ownFiles(whose);
    return found === undefined ? undefined : { ...found, measuredAt: new Date().toISOString() };
  } catch (error) {
    log.debug({ err: error, runtime: runtime.name }, 'own files not measured');
    return undefined;
  }
}

/**
 * For an archive: how much it keeps outside of volumes; or, once, that another program removed the runtime with all of
 * that, and nobody has started it since.
 */
export async function noteOwnFiles(
  { registry, runtimes, log }: { registry: WorkspaceRegistry; runtimes: Runtimes; log: Log },
  name: string,
  context: OperationContext,
): Promise<void> {
  const runtime = runtimes.of(registry.get(name));
  await registry.update(name, { ownFiles: await measureOwnFiles(runtime, log) });
  const { imageId, spec, warnings } = registry.get(name);
  const isReported = warnings.some(({ code }) => code === lostBeforeArchive);
  if (imageId !== undefined && !isReported && (await runtime.inspect()) === undefined) {
    const message = `Its ${spec.runtime} was removed by another program: what lay outside of volumes is gone. A restore makes a new one of ${spec.image}.`;
    context.warn(message);
    await registry.warn(name, { code: lostBeforeArchive, message });
  }
}
