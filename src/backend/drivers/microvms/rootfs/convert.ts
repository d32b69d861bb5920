/** Copies of disks by qemu-img: sparse, through overlays, and refused while a machine writes to them. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { BerthError } from '../../../../api/errors';
import { findQemu, ownSurroundings } from '../qemu/programs';

const convertTimeoutMs = 60 * 60_000;
const keptOutput = 2_000;

/** Throws `runtime_unavailable` that says what to install. */
export async function findQemuImg(): Promise<string> {
  return (await findQemu(ownSurroundings())).image;
}

export interface ConvertTold {
  /** From 0 to 1. */
  tell: (share: number) => void;
  signal: AbortSignal;
  /** Nobody needs the copy after a crash of this machine: it is not waited for until it is on the disk. */
  isScratch?: boolean;
}

/** Into a raw file that is new. */
export async function convertDisk(
  qemuImg: string,
  from: { path: string; format: 'raw' | 'qcow2' },
  to: string,
  { tell, signal, isScratch = false }: ConvertTold,
): Promise<void> {
  // Named as options: a path with a colon or a comma in it would mean something else.
  const source = `driver=${from.format},file.driver=file,file.filename=${from.path.replaceAll(',', ',,')}`;
  const cache = isScratch ? ['-t', 'unsafe'] : [];
  const child = spawn(qemuImg, ['convert', '-p', ...cache, '--image-opts', source, '-O', 'raw', to], {
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: convertTimeoutMs,
    killSignal: 'SIGKILL',
    signal,
  });
  let said = '';
  child.stdout.on('data', (chunk: Buffer) => {
    const [, percent] = /\((\d+(?:\.\d+)?)\/100%\)[^(]*$/.exec(chunk.toString('latin1')) ?? [];
    if (percent !== undefined) {
      tell(Number(percent) / 100);
    }
  });
  child.stderr.on('data', (chunk: Buffer) => (said = (said + chunk.toString('utf8')).slice(-keptOutput)));
  const [code] = (await once(child, 'close')) as [number | null];
  if (signal.aborted) {
    throw new BerthError('cancelled', 'Cancelled.');
  }
  if (code !== 0) {
    throw explain(from.path, said, code);
  }
}

function explain(path: string, said: string, code: number | null): BerthError {
  if (/Failed to get .*lock/i.test(said)) {
    return new BerthError('in_use', `${path} is written to by a machine that runs.`, {
      hint: 'Stop it first.',
    });
  }
  return /no space left/i.test(said)
    ? new BerthError('no_space', `There is no room for a copy of ${path}.`, {
        hint: 'Make room on the disk.',
      })
    : new BerthError(
        'internal',
        `${path} was not copied: ${said.trim() || `qemu-img ended with ${code ?? 'a signal'}`}`,
      );
}
