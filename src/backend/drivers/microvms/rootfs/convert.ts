/** Copies of disks by qemu-img: sparse, through overlays, and refused while a machine writes to them. */
import { dirname } from 'node:path';
import { BerthError } from '../../../../api/errors';
import { endInWords, run, type ProcessEnd } from '../../../machine/run';
import { findQemu, ownQemuEnvironment } from '../qemu/programs';

const convertTimeoutMs = 60 * 60_000;

/** Throws `runtime_unavailable` that says what to install. */
export async function findQemuImg(): Promise<string> {
  return (await findQemu(ownQemuEnvironment())).image;
}

export interface ConvertOptions {
  /** From 0 to 1. */
  report: (share: number) => void;
  signal: AbortSignal;
  /** Nobody needs the copy after a crash of this machine: it is not waited for until it is on the disk. */
  isScratch?: boolean;
}

export interface FileDisk {
  path: string;
  format: 'raw' | 'qcow2';
  /** A machine has it that stands still, and does not write to it before this has ended. */
  isHeld?: boolean;
}

/** What QEMU serves on a unix socket. */
export interface NbdDisk {
  /** For people. */
  path: string;
  format: 'nbd';
  socket: string;
  /** Of the export. */
  name: string;
}

/** Into a raw file that is new. */
export async function convertDisk(
  qemuImg: string,
  from: FileDisk | NbdDisk,
  to: string,
  options: ConvertOptions,
): Promise<void> {
  await convert(qemuImg, from, [...sharing(from), '-O', 'raw'], to, options);
}

/**
 * What an overlay has of its own, into a new qcow2 over the same base. Of a view of it QEMU does not say which of the rest is zeros:
 * all of a disk of 16 GiB would be read.
 */
export async function copyOverlay(
  qemuImg: string,
  from: FileDisk | NbdDisk,
  base: string,
  to: string,
  options: ConvertOptions,
): Promise<void> {
  await convert(qemuImg, from, [...sharing(from), '-B', base, '-F', 'raw', '-O', 'qcow2'], to, options);
}

const sharing = (from: FileDisk | NbdDisk): string[] =>
  from.format !== 'nbd' && from.isHeld === true ? ['-U'] : [];

async function convert(
  qemuImg: string,
  from: FileDisk | NbdDisk,
  how: readonly string[],
  to: string,
  { report, signal, isScratch = false }: ConvertOptions,
): Promise<void> {
  const cache = isScratch ? ['-t', 'unsafe'] : [];
  const args = ['convert', '-p', ...cache, ...how, '--image-opts', optionsOf(from), to];
  const end = await run(qemuImg, args, {
    what: `copy ${from.path}`,
    timeoutMs: convertTimeoutMs,
    signal,
    onOutput: (text) => {
      const [, percent] = /\((\d+(?:\.\d+)?)\/100%\)[^(]*$/.exec(text) ?? [];
      if (percent !== undefined) {
        report(Number(percent) / 100);
      }
    },
  });
  if (end.code !== 0) {
    throw explain(from.path, to, end);
  }
}

/** Named as options: a path with a colon or a comma in it would mean something else. */
function optionsOf(from: FileDisk | NbdDisk): string {
  const plain = (value: string): string => value.replaceAll(',', ',,');
  return from.format === 'nbd'
    ? `driver=raw,file.driver=nbd,file.server.type=unix,file.server.path=${plain(from.socket)},file.export=${plain(from.name)}`
    : `driver=${from.format},file.driver=file,file.filename=${plain(from.path)}`;
}

function explain(path: string, to: string, end: ProcessEnd): BerthError {
  if (/Failed to get .*lock/i.test(end.stderr)) {
    return new BerthError('in_use', `${path} is written to by a machine that runs.`, {
      hint: 'Stop it first.',
    });
  }
  return /no space left/i.test(end.stderr)
    ? new BerthError('no_space', `There is no room for a copy of ${path} at ${dirname(to)}.`, {
        hint: 'Make room there, then try again.',
      })
    : new BerthError('internal', `${path} was not copied: qemu-img ${endInWords(end)}`);
}
