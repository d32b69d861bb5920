/** What private daemons of tests share: how their process is ended, and their folder removed. */
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { runProgram, succeed } from '../programs';

/** Also one that a signal ended, which has no exit code. */
export const hasEnded = (child: ChildProcess | undefined): boolean =>
  child === undefined || child.exitCode !== null || child.signalCode !== null;

/** Asks it to end, and after `timeoutMs` makes it. One that has ended, or never began, is left alone. */
export async function endDaemon(child: ChildProcess | undefined, timeoutMs: number): Promise<void> {
  if (child === undefined || hasEnded(child)) {
    return;
  }
  const ended = once(child, 'exit');
  child.kill('SIGTERM');
  const late = setTimeout(() => child.kill('SIGKILL'), timeoutMs);
  await ended;
  clearTimeout(late);
}

/** With all that is mounted in it, which goes first. */
export async function removeMountedFolder(folder: string): Promise<void> {
  const mounts = (await readFile('/proc/mounts', 'utf8')).split('\n').map((line) => line.split(' ')[1] ?? '');
  for (const path of mounts.filter((mount) => mount.startsWith(folder)).reverse()) {
    await runProgram('umount', ['-l', path]);
  }
  await succeed('rm', ['-rf', folder]);
}
