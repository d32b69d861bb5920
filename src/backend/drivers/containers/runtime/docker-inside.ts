/** A Docker daemon of its own inside a privileged container. */
import type { Endpoint } from '../engine/endpoint';
import { runInside } from './exec';
import { startDockerCommand, startDockerTimeoutMs, throwIfDockerFailed } from '../../../inside/start-docker';

/** Starts the daemon unless it runs, and waits until it answers. */
export async function startDockerInside(
  endpoint: Endpoint,
  name: string,
  signal: AbortSignal,
): Promise<void> {
  const { exitCode, output } = await runInside(endpoint, name, {
    argv: startDockerCommand,
    timeoutMs: startDockerTimeoutMs,
    signal,
  });
  throwIfDockerFailed(name, exitCode, output);
}
