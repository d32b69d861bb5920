/** Copies of disks by qemu-img: sparse, through overlays, and refused while a machine writes to them. */
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

/** Into a raw file that is new. */
export async function convertDisk(
  qemuImg: string,
  from: { path: string; format: 'raw' | 'qcow2' },
  to: string,
  { report: report, signal, isScratch = false }: ConvertOptions,
): Promise<void> {
  // Named as options: a path with a colon or a comma in it would mean something else.
  const source = `driver=${from.format},file.driver=file,file.filename=${from.path.replaceAll(',', ',,')}`;
  const cache = isScratch ? ['-t', 'unsafe'] : [];
  const args = ['convert', '-p', ...cache, '--image-opts', source, '-O', 'raw', to];
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
    throw explain(from.path, end);
  }
}

function explain(path: string, end: ProcessEnd): BerthError {
  if (/Failed to get .*lock/i.test(end.stderr)) {
    return new BerthError('in_use', `${path} is written to by a machine that runs.`, {
      hint: 'Stop it first.',
    });
  }
  return /no space left/i.test(end.stderr)
    ? new BerthError('no_space', `There is no room for a copy of ${path}.`, {
        hint: 'Make room on the disk.',
      })
    : new BerthError('internal', `${path} was not copied: qemu-img ${endInWords(end)}`);
}
