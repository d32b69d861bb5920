/**
 * The daemons that serve folders to machines: one per folder and machine, there before QEMU is, gone when it is. Who
 * they are is read from the processes of this machine, by the sockets on their command lines: what an engine that was
 * killed had just started is found as well, and nothing else ever is.
 */
import { readFile, readdir, rm } from 'node:fs/promises';
import { BerthError } from '../../../../api/errors';
import { identityOf, type ProcessIdentity } from '../../../machine/process-identity';
import { askFor, becomes } from '../../../machine/wait';
import { killProcess, lastWords, startDetached, type StartedProcess } from '../qemu/process';
import type { QemuEnvironment } from '../qemu/programs';
import type { RuntimeFiles } from '../runtimes/runtime-files';
import { findVirtiofsd, missingVirtiofsd, servingCommand, type Virtiofsd } from './daemon';

const listenTimeoutMs = 20_000;
const pollMs = 10;
/** A daemon sees the end of its machine, and goes; one that hangs is ended. */
const closeTimeoutMs = 2_000;
/** In /proc/net/unix: somebody listens (__SO_ACCEPTCON of linux/net.h). */
const acceptsConnections = '00010000';

export interface Share {
  serial: string;
  volume: string;
  folder: string;
  readOnly: boolean;
}

export class Shares {
  constructor(
    private readonly environment: Pick<QemuEnvironment, 'env' | 'platform'>,
    private readonly isRoot = process.getuid?.() === 0,
  ) {}

  /** Throws `not_supported` when folders can't be shared here. */
  async require(volumes: readonly string[]): Promise<void> {
    const [first] = volumes;
    if (first !== undefined) {
      await this.daemon(first);
    }
  }

  /** All daemons of a machine, each listening; or none. */
  async start(files: RuntimeFiles, shares: readonly Share[]): Promise<void> {
    if (shares.length === 0) {
      return;
    }
    await this.end(files, shares, 0);
    try {
      for (const share of shares) {
        await this.serve(files, share);
      }
    } catch (error) {
      await this.end(files, shares, 0);
      throw error;
    }
  }

  /** For machines that run no more: what still serves them ends within `graceMs`, or is ended. */
  async end(
    files: RuntimeFiles,
    shares: readonly Pick<Share, 'serial'>[],
    graceMs = closeTimeoutMs,
  ): Promise<void> {
    const sockets = shares.map(({ serial }) => files.shareSocket(serial));
    const options = { what: 'the end of what serves folders', timeoutMs: graceMs, intervalMs: pollMs };
    await becomes(async () => (await serving(sockets)).length === 0, options);
    await Promise.all((await serving(sockets)).map((process) => killProcess(process)));
    await Promise.all(sockets.map((socket) => rm(socket, { force: true })));
  }

  private async daemon(volume: string): Promise<Virtiofsd> {
    const found = await findVirtiofsd(this.environment);
    if (found === undefined) {
      throw missingVirtiofsd(volume);
    }
    return found;
  }

  private async serve(files: RuntimeFiles, { serial, volume, folder, readOnly }: Share): Promise<void> {
    const socket = files.shareSocket(serial);
    const [binary, ...argv] = servingCommand(
      await this.daemon(volume),
      { socket, folder, readOnly },
      this.isRoot,
    );
    const log = files.shareLog(serial);
    const daemon = await startDetached({ binary, argv, log });
    if (!(await waitUntilListening(socket, daemon))) {
      const reason = daemon.ended() ?? `it did not listen within ${listenTimeoutMs / 1000} s`;
      throw new BerthError(
        'runtime_unavailable',
        `The folder of the volume ${volume} can't be shared: ${reason}. ${await lastWords(log)}`.trim(),
        { hint: 'Use a volume of the kind "disk" where this can not be mended.', field: 'mounts' },
      );
    }
  }
}

/** Not by connecting: a daemon takes one connection in its life. */
async function waitUntilListening(socket: string, daemon: StartedProcess): Promise<boolean> {
  const look = async (): Promise<boolean | undefined> => {
    const hasEnded = daemon.ended() !== undefined;
    const table = await readFile('/proc/net/unix', 'utf8');
    const row = table.split('\n').find((line) => line.endsWith(` ${socket}`));
    return row?.split(/\s+/)[3] === acceptsConnections || (hasEnded ? false : undefined);
  };
  const options = { what: socket, timeoutMs: listenTimeoutMs, intervalMs: pollMs };
  return (await askFor(look, options)) ?? false;
}

/** The process that serves a folder on this socket; undefined when there is none. */
export async function daemonOf(socket: string): Promise<ProcessIdentity | undefined> {
  return (await serving([socket]))[0];
}

/** The processes that have one of these sockets on their command lines. */
async function serving(sockets: readonly string[]): Promise<ProcessIdentity[]> {
  if (sockets.length === 0) {
    return [];
  }
  const wanted = new Set(sockets.map((socket) => `--socket-path=${socket}`));
  const pids = (await readdir('/proc').catch(() => [])).filter((name) => /^\d+$/.test(name)).map(Number);
  const found = await Promise.all(
    pids.map(async (pid) => {
      const process = identityOf(pid);
      const argv = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '');
      return argv.split('\0').some((word) => wanted.has(word)) ? [process] : [];
    }),
  );
  return found.flat();
}
