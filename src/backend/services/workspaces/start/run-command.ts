/** Runs one command in a runtime and collects its output, with a deadline. */
import { BerthError } from '../../../../api/errors';
import type { ExecPlan, ExecSession } from '../../../drivers/driver';
import type { RuntimeHandle } from '../runtime-handle';

export interface CommandResult {
  exitCode: number;
  stdout: Buffer;
  stderr: Buffer;
  truncated: boolean;
  timedOut: boolean;
}

export interface CommandOptions {
  stdin?: Buffer;
  timeoutMs: number;
  maxOutputBytes: number;
  signal?: AbortSignal;
  /** How long a killed command may take to end before it is given up. */
  killGraceMs?: number;
}

const killGraceMs = 10_000;

class Collector {
  private readonly chunks: { stdout: Buffer[]; stderr: Buffer[] } = { stdout: [], stderr: [] };
  private room: number;
  truncated = false;

  constructor(limit: number) {
    this.room = limit;
  }

  add(stream: 'stdout' | 'stderr', chunk: Buffer): void {
    const taken = chunk.subarray(0, this.room);
    this.truncated ||= taken.length < chunk.length;
    this.room -= taken.length;
    if (taken.length > 0) {
      this.chunks[stream].push(taken);
    }
  }

  of(stream: 'stdout' | 'stderr'): Buffer {
    return Buffer.concat(this.chunks[stream]);
  }
}

/** As timeout(1) has it, for a command that had no time to begin. */
const timedOutCode = 124;

/**
 * Output past `maxOutputBytes` is dropped and said so; `timeoutMs` after the call the command is killed, or what would
 * begin it is waited for no longer. Throws `cancelled`.
 */
export async function runCommand(
  runtime: Pick<RuntimeHandle, 'exec'>,
  plan: ExecPlan,
  options: CommandOptions,
): Promise<CommandResult> {
  throwIfCancelled(options.signal);
  const begun = performance.now();
  const session = await inTime(runtime.exec(plan), options.timeoutMs);
  if (session === undefined) {
    const nothing = Buffer.alloc(0);
    return { exitCode: timedOutCode, stdout: nothing, stderr: nothing, truncated: false, timedOut: true };
  }
  const collected = new Collector(options.maxOutputBytes);
  session.stdout.on('data', (chunk: Buffer) => collected.add('stdout', chunk));
  session.stderr.on('data', (chunk: Buffer) => collected.add('stderr', chunk));
  ignoreErrors(session);
  session.stdin.end(options.stdin);
  const timeoutMs = Math.max(options.timeoutMs - (performance.now() - begun), 1);
  const ending = await race(session, { ...options, timeoutMs });
  return {
    exitCode: ending.exitCode,
    stdout: collected.of('stdout'),
    stderr: collected.of('stderr'),
    truncated: collected.truncated,
    timedOut: ending.timedOut,
  };
}

/** One that begins too late is ended. */
async function inTime(opening: Promise<ExecSession>, timeoutMs: number): Promise<ExecSession | undefined> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<undefined>((resolve) => {
    timer = setTimeout(() => {
      resolve(undefined);
      opening.then(end).catch(() => undefined);
    }, timeoutMs);
  });
  try {
    return await Promise.race([opening, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** One whose output nobody wants. */
function end(session: ExecSession): Promise<void> {
  ignoreErrors(session);
  session.stdout.resume();
  session.stderr.resume();
  return session.kill();
}

/** Of its streams: how it ended is in `exit`. An error that nobody hears would end the engine. */
function ignoreErrors({ stdin, stdout, stderr }: ExecSession): void {
  for (const stream of [stdin, stdout, stderr]) {
    stream.on('error', () => undefined);
  }
}

async function race(
  session: ExecSession,
  options: CommandOptions,
): Promise<{ exitCode: number; timedOut: boolean }> {
  let timedOut = false;
  const givenUp = new AbortController();
  let giveUpTimer: NodeJS.Timeout | undefined;
  const kill = () => {
    void session.kill().catch(() => undefined);
    giveUpTimer ??= setTimeout(() => givenUp.abort(), options.killGraceMs ?? killGraceMs);
  };
  const timer = setTimeout(() => {
    timedOut = true;
    kill();
  }, options.timeoutMs);
  options.signal?.addEventListener('abort', kill, { once: true });
  if (options.signal?.aborted === true) {
    kill();
  }
  try {
    const exitCode = await Promise.race([session.exit, unlessGivenUp(givenUp.signal)]);
    throwIfCancelled(options.signal);
    return { exitCode, timedOut };
  } finally {
    clearTimeout(timer);
    clearTimeout(giveUpTimer);
    options.signal?.removeEventListener('abort', kill);
  }
}

function unlessGivenUp(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    const error = new BerthError('timeout', 'The command was killed, and did not end.');
    signal.addEventListener('abort', () => reject(error), { once: true });
  });
}

function throwIfCancelled(signal: AbortSignal | undefined): void {
  if (signal?.aborted === true) {
    throw new BerthError('cancelled', 'Cancelled.');
  }
}
