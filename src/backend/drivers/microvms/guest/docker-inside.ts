/** A Docker daemon in a guest: its kernel is its own, so it needs no right on this machine. */
import { startDockerCommand, throwIfDockerFailed } from '../../../inside/start-docker';
import { runInside } from './exec';
import type { Machine } from '../machines/machine';

/** The daemon may have to make its file systems first, under emulation. */
const timeoutMs = 180_000;

/** Resolves when the daemon answers. Throws `not_supported` where the image has none, and `timeout`. */
export async function startDockerInside(machine: Machine, signal: AbortSignal): Promise<void> {
  const { exitCode, output } = await runInside(machine.ssh, machine.name, {
    argv: startDockerCommand,
    timeoutMs,
    signal,
  });
  throwIfDockerFailed(machine.name, exitCode, output);
}
