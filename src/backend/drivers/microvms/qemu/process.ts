/** QEMU as a process that outlives the engine. */
import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import { BerthError, asBerthError } from '../../../../api/errors';
import { startDetached as startProcess } from '../../../machine/run';
import { identityOf, isRunning, type ProcessIdentity } from '../../../machine/process-identity';
import { becomes } from '../../../machine/wait';

const keptOutputChars = 2000;
/** Written anew, and at its end also when it is cut meanwhile. */
const logFlags = constants.O_WRONLY | constants.O_CREAT | constants.O_TRUNC | constants.O_APPEND;
const endPollMs = 20;

export interface StartedProcess {
  identity: ProcessIdentity;
  /** Why it has ended; undefined while it runs. */
  ended(): string | undefined;
  /** Resolves when it has ended. */
  end: Promise<void>;
}

export interface StartOptions {
  binary: string;
  argv: readonly string[];
  /** Takes what it says; written anew. */
  log: string;
  /** A file that it has open as descriptor 3. */
  input?: string;
}

/**
 * Starts a process of a session of its own. It has no input, and no pipe of ours that would end it. Throws
 * `runtime_unavailable`.
 */
export async function startDetached({ binary, argv, log, input }: StartOptions): Promise<StartedProcess> {
  const output = await open(log, logFlags, 0o600);
  const file = input === undefined ? undefined : await open(input, 'r').catch(closing(output));
  try {
    const others = file === undefined ? [] : [file.fd];
    const started = await startProcess(binary, argv, { output: output.fd, others });
    return {
      identity: identityOf(started.pid),
      ended: () => inSentence(started.ended()),
      end: started.end,
    };
  } catch (error) {
    throw notStarted(error);
  } finally {
    await output.close();
    await file?.close();
  }
}

function closing(handle: { close(): Promise<void> }): (error: unknown) => Promise<never> {
  return async (error) => {
    await handle.close();
    throw error;
  };
}

function inSentence(end: string | undefined): string | undefined {
  return end === undefined ? undefined : `it ${end}`;
}

function notStarted(cause: unknown): BerthError {
  return new BerthError('runtime_unavailable', asBerthError(cause).message, {
    hint: '`berth doctor` says what is missing.',
    cause,
  });
}

/** The last words in a log, however long that is. */
export async function lastWords(log: string): Promise<string> {
  const file = await open(log, 'r').catch(() => undefined);
  if (file === undefined) {
    return '';
  }
  try {
    const { size } = await file.stat();
    const length = Math.min(size, keptOutputChars);
    const { buffer, bytesRead } = await file.read(Buffer.alloc(length), 0, length, size - length);
    return buffer.toString('utf8', 0, bytesRead).trim();
  } catch {
    return '';
  } finally {
    await file.close();
  }
}

/** Waits until a process is gone that need not be our child; false when it still runs after that time. */
export async function waitUntilGone(identity: ProcessIdentity, timeoutMs: number): Promise<boolean> {
  const what = `the end of process ${identity.pid}`;
  return becomes(() => !isRunning(identity), { what, timeoutMs, intervalMs: endPollMs });
}

/**
 * Ends that very process at once, and waits until it is gone. Throws `internal` when it is still there after
 * `timeoutMs`.
 */
export async function killProcess(identity: ProcessIdentity, timeoutMs = 10_000): Promise<void> {
  if (!isRunning(identity)) {
    return;
  }
  try {
    process.kill(identity.pid, 'SIGKILL');
  } catch {
    // Gone in this very moment.
  }
  if (!(await waitUntilGone(identity, timeoutMs))) {
    throw new BerthError('internal', `QEMU (process ${identity.pid}) can't be ended.`, {
      hint: 'It may hang in the disk: look at the kernel log, then try again.',
    });
  }
}
