/** Runs `gather.sh`: Debian's packages, fetched and unpacked without being installed. */
import { spawn } from 'node:child_process';
import { BerthError } from '../../../../api/errors';

const saidKept = 2000;
const gatherTimeoutMs = 15 * 60_000;
const hint =
  'Guest kits are made from packages of Debian 12: there, run `apt-get update` as root, then try again.';

/** Answers what it printed. Its messages go to `line`; cancelling ends it with all it started. */
export function gather(
  script: string,
  args: readonly string[],
  line: (text: string) => void,
  signal: AbortSignal,
): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn('sh', [script, ...args], { stdio: ['ignore', 'pipe', 'pipe'], detached: true });
    let printed = '';
    let said = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => (printed += text));
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      said = (said + text).slice(-saidKept);
      text.split('\n').forEach((part) => part.trim() !== '' && line(part));
    });
    const ended = AbortSignal.any([signal, AbortSignal.timeout(gatherTimeoutMs)]);
    const kill = (): void => endGroup(child.pid);
    ended.addEventListener('abort', kill, { once: true });
    const fail = (reason: string): void => {
      ended.removeEventListener('abort', kill);
      reject(
        signal.aborted
          ? new BerthError('cancelled', 'Cancelled: build the guest kit.')
          : new BerthError('runtime_unavailable', `The guest kit was not built: ${reason}`, { hint }),
      );
    };
    child.once('error', (error) => fail(error.message));
    child.once('close', (code) => {
      if (code !== 0 || ended.aborted) {
        const late = ended.aborted ? `Waited ${gatherTimeoutMs / 60_000} minutes in vain. ` : '';
        fail(`${late}${said.trim()}`);
      } else {
        ended.removeEventListener('abort', kill);
        resolve(printed);
      }
    });
    if (ended.aborted) {
      kill();
    }
  });
}

function endGroup(pid: number | undefined): void {
  try {
    if (pid !== undefined) {
      process.kill(-pid, 'SIGTERM');
    }
  } catch {
    // It has ended already.
  }
}
