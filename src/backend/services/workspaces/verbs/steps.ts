/** What several verbs do on their way. */
import type { WorkspaceState } from '../../../../api/rules/lifecycle';
import type { OperationContext } from '../../operations/operation-context';
import { stopGraceMs } from '../runtime-handle';
import type { StartOptions } from '../start/runtime-preparation';
import type { VerbDeps } from './run-verb';

/** Stops the runtime; that it had to be killed is noted with the workspace. */
export async function stopRuntime({ registry, runtimes }: VerbDeps, name: string): Promise<WorkspaceState> {
  const { killed } = await runtimes.of(registry.get(name)).stop();
  const others = registry.get(name).warnings.filter((warning) => warning.code !== 'killed');
  const message = `It did not stop within ${stopGraceMs / 1000} s and was killed.`;
  const warnings = killed ? [...others, { code: 'killed', message }] : others;
  await registry.update(name, { startedAt: undefined, warnings });
  return 'stopped';
}

/** Starts it, or stops what was started of it: from half-started no start knows where to go on. */
export async function startOrStop(
  { registry, runtimes, starter }: VerbDeps,
  name: string,
  context: OperationContext,
  options: StartOptions = {},
): Promise<WorkspaceState> {
  try {
    await starter.start(name, context, options);
    return 'running';
  } catch (error) {
    await runtimes
      .of(registry.get(name))
      .stop(0)
      .catch(() => undefined);
    throw error;
  }
}
