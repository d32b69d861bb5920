/**
 * The one way to run a program of this machine. Arguments are data, never a shell's text; what is secret goes in by
 * standard input or the environment. On Linux and macOS each child has a process group of its own: what it starts ends
 * with it.
 */
import { spawn, type ChildProcess, type StdioOptions } from 'node:child_process';
import type { Readable, Writable } from 'node:stream';
import { StringDecoder } from 'node:string_decoder';
import { BerthError } from '../../api/errors';
import { mebibyte } from '../../api/rules/sizes';
import { throwIfCancelled } from './wait';

/** How much of a child's standard error is kept, from its end, in characters. */
const keptErrors = 4_000;
const maxOutputBytes = 16 * mebibyte;
/** Between being asked to end and being killed. */
const graceMs = 2_000;
const isWindows = process.platform === 'win32';

/** How a child ended: `code` is null when a signal ended it. */
export interface ProcessEnd {
  code: number | null;
  signal: NodeJS.Signals | null;
  /** The last of what it wrote to standard error. */
  stderr: string;
}

export interface StartOptions {
  /** Instead of the engine's own. */
  env?: NodeJS.ProcessEnv;
  /** What to do when there is no such program, for people. */
  install?: string;
  /** Ends it. */
  signal?: AbortSignal;
  /** Each line that it writes to standard error, without those that are empty. */
  onErrorLine?: (line: string) => void;
}

/** A child that lives on: its streams are the caller's. */
export interface Child {
  stdin: Writable;
  stdout: Readable;
  /** When it has ended and all it wrote was read. Never rejects. */
  end: Promise<ProcessEnd>;
  /** The last of what it has written to standard error so far. */
  errors(): string;
  /** Asks it and all it started to end, and kills what is left of them soon after. */
  kill(): void;
}

export interface RunOptions extends StartOptions {
  /** What it is run for, for messages: "check the file system". */
  what: string;
  /** It is ended after that. */
  timeoutMs: number;
  /** A stream is read as it comes. */
  input?: string | Buffer | Readable;
  /** More output than that is an error; 16 MiB by default. */
  maxBytes?: number;
  /** Gets the output as it comes; nothing of it is kept. */
  onOutput?: (text: string) => void;
}

export interface RunEnd extends ProcessEnd {
  stdout: string;
}

/**
 * Runs a program to its end; what its exit code means is the caller's to say. When this resolves or throws, it is gone.
 * Throws `not_supported` when there is no such program, `timeout`, `cancelled`, and `internal` for too much output.
 */
export async function run(program: string, args: readonly string[], options: RunOptions): Promise<RunEnd> {
  const { what, timeoutMs, input = '', signal, maxBytes = maxOutputBytes } = options;
  throwIfCancelled(signal, what);
  const child = await start(program, args, options);
  let failure: BerthError | undefined;
  const endBecause = (error: BerthError): void => {
    failure ??= error;
    child.kill();
  };
  const output = collect(child.stdout, maxBytes, options.onOutput, () =>
    endBecause(new BerthError('internal', `Could not ${what}: ${program} said more than ${maxBytes} bytes.`)),
  );
  if (typeof input === 'string' || Buffer.isBuffer(input)) {
    child.stdin.end(input);
  } else {
    input.pipe(child.stdin);
  }
  const late = setTimeout(
    () =>
      endBecause(
        new BerthError('timeout', `Could not ${what}: ${program} did not end in ${timeoutMs / 1000} s.`),
      ),
    timeoutMs,
  );
  const end = await child.end;
  clearTimeout(late);
  throwIfCancelled(signal, what);
  if (failure !== undefined) {
    throw failure;
  }
  return { ...end, stdout: output() };
}

/** As `run`; throws `internal`, with what the program said, also when it ends with another code than 0. */
export async function runWell(
  program: string,
  args: readonly string[],
  options: RunOptions,
): Promise<RunEnd> {
  const end = await run(program, args, options);
  if (end.code !== 0) {
    const reason = endInWords(end).replace(/\.$/, '');
    throw new BerthError('internal', `Could not ${options.what}: ${program} ${reason}.`);
  }
  return end;
}

/** "ended with code 1: no such file", "was ended by SIGKILL". */
export function endInWords({ code, signal, stderr }: ProcessEnd): string {
  const how = signal === null ? `ended with code ${code ?? 0}` : `was ended by ${signal}`;
  return stderr.trim() === '' ? how : `${how}: ${stderr.trim()}`;
}

/**
 * Starts a child that lives until it ends by itself, is killed, or `signal` says so.
 * Throws `not_supported` when there is no such program.
 */
export async function start(
  program: string,
  args: readonly string[],
  options: StartOptions = {},
): Promise<Child> {
  const child = spawn(program, [...args], {
    stdio: ['pipe', 'pipe', 'pipe'],
    detached: !isWindows,
    windowsHide: true,
    env: options.env ?? process.env,
  });
  // Nobody reads on there: what became of the child says its end.
  child.stdin.on('error', () => undefined);
  const errors = keepTail(child.stderr, options.onErrorLine);
  const kill = killer(child);
  const end = new Promise<ProcessEnd>((resolve) => {
    child.once('close', (code, signal) => resolve({ code, signal, stderr: errors() }));
  });
  await spawned(child, program, options.install);
  followSignal(options.signal, kill, end);
  return { stdin: child.stdin, stdout: child.stdout, end, errors, kill };
}

/** Ends the child, and what is left of its group a little later; its pipes go then, whoever else has them. */
function killer(child: ChildProcess): () => void {
  let isAsked = false;
  return () => {
    if (isAsked) {
      return;
    }
    isAsked = true;
    signalGroup(child, 'SIGTERM');
    const late = setTimeout(() => {
      signalGroup(child, 'SIGKILL');
      child.stdout?.destroy();
      child.stderr?.destroy();
    }, graceMs);
    child.once('close', () => clearTimeout(late));
  };
}

function signalGroup(child: ChildProcess, signal: NodeJS.Signals): void {
  try {
    if (isWindows || child.pid === undefined) {
      child.kill(signal);
    } else {
      process.kill(-child.pid, signal);
    }
  } catch {
    // It has ended already.
  }
}

function followSignal(signal: AbortSignal | undefined, kill: () => void, end: Promise<unknown>): void {
  if (signal?.aborted === true) {
    kill();
  }
  signal?.addEventListener('abort', kill, { once: true });
  void end.then(() => signal?.removeEventListener('abort', kill));
}

/** Waits until it runs. Throws with the program's name when it does not. */
async function spawned(child: ChildProcess, program: string, install: string | undefined): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    child.once('spawn', resolve);
    child.on('error', (error) => reject(notStarted(program, error, install)));
  });
}

function notStarted(program: string, cause: Error, install: string | undefined): BerthError {
  // A folder in PATH that this user may not look into makes the system say so of what is nowhere.
  const isDenied = 'code' in cause && cause.code === 'EACCES' && !/[/\\]/.test(program);
  const isMissing = ('code' in cause && cause.code === 'ENOENT') || isDenied;
  return isMissing
    ? new BerthError('not_supported', `There is no program "${program}" on this machine.`, {
        hint: install ?? 'Install it, or see that PATH names its folder.',
        cause,
      })
    : new BerthError('internal', `${program} can't be started: ${cause.message}.`, { cause });
}

function keepTail(stream: Readable, onLine?: (line: string) => void): () => string {
  let tail = '';
  let rest = '';
  const say = (line: string): void => {
    if (line.trim() !== '') {
      onLine?.(line);
    }
  };
  stream.setEncoding('utf8');
  stream.on('data', (text: string) => {
    tail = (tail + text).slice(-keptErrors);
    const lines = (rest + text).split('\n');
    rest = (lines.pop() ?? '').slice(-keptErrors);
    lines.forEach(say);
  });
  stream.on('end', () => say(rest));
  return () => tail;
}

function collect(
  stream: Readable,
  maxBytes: number,
  onOutput: RunOptions['onOutput'],
  tooMuch: () => void,
): () => string {
  const decoder = new StringDecoder('utf8');
  const chunks: string[] = [];
  const take = onOutput ?? ((text: string) => void chunks.push(text));
  let bytes = 0;
  stream.on('data', (chunk: Buffer) => {
    bytes += onOutput === undefined ? chunk.length : 0;
    if (bytes > maxBytes) {
      tooMuch();
    } else {
      take(decoder.write(chunk));
    }
  });
  return () => chunks.join('') + decoder.end();
}

export interface Detached {
  pid: number;
  /** How it has ended, in words; undefined while it runs. */
  ended(): string | undefined;
  end: Promise<void>;
}

/**
 * Starts a process that outlives the engine: a session of its own, and no pipe of ours, whose end would end it.
 * `descriptors` are its standard output and error, and what it has open from 3 on.
 */
export async function startDetached(
  program: string,
  args: readonly string[],
  descriptors: { output: number; others?: readonly number[] },
): Promise<Detached> {
  const { output, others = [] } = descriptors;
  const stdio: StdioOptions = ['ignore', output, output, ...others];
  const child = spawn(program, [...args], { detached: true, windowsHide: true, stdio });
  let reason: string | undefined;
  const end = new Promise<void>((resolve) => {
    child.once('exit', (code, signal) => {
      reason = endInWords({ code, signal, stderr: '' });
      resolve();
    });
  });
  await spawned(child, program, undefined);
  child.unref();
  return { pid: child.pid ?? 0, ended: () => reason, end };
}
