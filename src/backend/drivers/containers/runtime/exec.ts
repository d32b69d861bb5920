/** Processes in a running container. */
import { randomUUID } from 'node:crypto';
import type { Duplex, Readable } from 'node:stream';
import { PassThrough } from 'node:stream';
import type Dockerode from 'dockerode';
import { BerthError } from '../../../../api/errors';
import type { ExecPlan, ExecSession } from '../../driver';
import { endWithin } from '../../../inside/exec-end';
import { stdinOf } from '../../../inside/exec-input';
import { demultiplex, write, type OutputFilter } from '../engine/demux';
import { ifMissing, isConnectionError, isStatus, toBerthError } from '../engine/docker-errors';
import type { Endpoint } from '../engine/endpoint';
import { endExecCommand, execFront, nameForFront } from '../../../inside/init-script';
import { HeldReport } from './not-started';
import { stateOf } from './runtime-info';
import { homeFolder } from '../../../inside/places';
import { waitFor } from '../../../machine/wait';
import { asError } from '../../../machine/as-error';

const exitTimeoutMs = 10_000;
const stopTimeoutMs = 2_000;
/** The engine's own, for a process that it could not start. It has no id then; with Podman no ended process has one. */
const notStartedCode = 126;
const killTimeoutMs = 15_000;

export interface RawExec {
  exec: Dockerode.Exec;
  stream: Duplex;
}

export interface RawPlan {
  argv: readonly string[];
  user: string;
  tty: boolean;
  env: readonly string[];
  cwd?: string;
}

/** Starts a process and answers its raw stream, multiplexed without a terminal. */
export async function startExec(endpoint: Endpoint, container: string, plan: RawPlan): Promise<RawExec> {
  return endpoint.call(`run a command in ${container}`, async (docker) => {
    const exec = await docker.getContainer(container).exec({
      Cmd: [...plan.argv],
      AttachStdin: true,
      AttachStdout: true,
      AttachStderr: true,
      Tty: plan.tty,
      User: plan.user,
      Env: [...plan.env],
      ...(plan.cwd !== undefined && { WorkingDir: plan.cwd }),
    });
    const stream = await exec.start({ hijack: true, stdin: true, Tty: plan.tty });
    return { exec, stream };
  });
}

async function pipeTerminal(stream: Duplex, stdout: PassThrough, filter: OutputFilter): Promise<void> {
  try {
    for await (const chunk of stream) {
      await write(stdout, filter.take(chunk as Buffer));
    }
    const last = await filter.end();
    stdout.end(Buffer.concat([last.stdout, last.stderr]));
  } catch (error) {
    stdout.destroy(asError(error));
    throw error;
  }
}

/** Tells why a command was not started in our words: see `HeldReport`. */
function filterOf(raw: RawExec, container: string, report: HeldReport): OutputFilter {
  const none = Buffer.alloc(0);
  return {
    take: (chunk) => report.take(chunk),
    end: async () => {
      if (report.isEmpty || (await exitCodeOf(raw, container)).hasBegun) {
        return { stdout: report.release(), stderr: none };
      }
      return { stdout: none, stderr: report.words() };
    },
  };
}

function outputOf(
  stream: Duplex,
  hasTerminal: boolean,
  filter: OutputFilter,
): { stdout: Readable; stderr: Readable; done: Promise<void> } {
  if (!hasTerminal) {
    return demultiplex(stream, filter);
  }
  const stdout = new PassThrough();
  const stderr = new PassThrough();
  stderr.end();
  return { stdout, stderr, done: pipeTerminal(stream, stdout, filter) };
}

/** The stream may end a moment before the engine knows the exit code. */
async function exitCodeOf(
  { exec }: RawExec,
  container: string,
): Promise<{ code: number; hasBegun: boolean }> {
  return waitFor(
    async () => {
      const { Running, ExitCode, Pid } = await exec.inspect();
      const isOver = !Running && ExitCode !== null;
      return isOver ? { code: ExitCode, hasBegun: Pid !== 0 || ExitCode !== notStartedCode } : undefined;
    },
    { what: `the exit code of a command in ${container}`, timeoutMs: exitTimeoutMs, intervalMs: 10 },
  );
}

/** Also when it is gone. What ends a container takes its processes first: that it has stopped is known a moment later. */
async function hasStopped(endpoint: Endpoint, container: string): Promise<boolean> {
  const ask = (): Promise<true | undefined> =>
    endpoint.call(`look at ${container}`, async (docker) => {
      const found = await docker.getContainer(container).inspect().catch(ifMissing);
      return found === undefined || stateOf(found.State.Status) === 'stopped' || undefined;
    });
  try {
    return await waitFor(ask, { what: `the end of ${container}`, timeoutMs: stopTimeoutMs, intervalMs: 20 });
  } catch (error) {
    if (error instanceof BerthError && error.code === 'timeout') {
      return false;
    }
    throw error;
  }
}

/**
 * The exit code, when all of the output was handed on. Throws `illegal_state` when the container ended first; `report`
 * has the reason, where one is known by which a command did not begin though the container runs.
 */
export async function finish(
  endpoint: Endpoint,
  raw: RawExec,
  container: string,
  done: Promise<void>,
  report?: Pick<HeldReport, 'isExplained'>,
): Promise<number> {
  const ended = (cause?: unknown): BerthError =>
    new BerthError('illegal_state', `${container} stopped while the command ran.`, {
      remedy: 'start',
      cause,
    });
  try {
    await done;
    const { code, hasBegun } = await exitCodeOf(raw, container);
    if (!hasBegun && report?.isExplained !== true && (await hasStopped(endpoint, container))) {
      throw ended();
    }
    return code;
  } catch (error) {
    if (isStatus(error, 404) || isConnectionError(error)) {
      throw ended(error);
    }
    throw toBerthError(error, `wait for a command in ${container}`);
  } finally {
    raw.stream.destroy();
  }
}

/** Podman answers 201 where the client library expects 200; a process that is gone needs no size. */
async function resize(exec: Dockerode.Exec, cols: number, rows: number): Promise<void> {
  try {
    await exec.resize({ h: rows, w: cols });
  } catch (error) {
    if (!isStatus(error, 201, 404, 409, 500)) {
      throw toBerthError(error, 'resize the terminal');
    }
  }
}

/** The process of a command, by the id that it can be ended by: with the environment of a login. */
export function processOf(id: string, plan: ExecPlan): RawPlan {
  const given = Object.entries(plan.env ?? {});
  const env = [
    ...given.map(([name, value]) => `${nameForFront(name)}=${value}`),
    `BERTH_EXEC=${id}`,
    `BERTH_USER=${plan.user}`,
    `BERTH_GIVEN=${given.map(([name]) => name).join(' ')}`,
    `BERTH_TTY=${plan.tty === undefined ? '' : `rows ${plan.tty.rows} cols ${plan.tty.cols}`}`,
    ...(plan.preferredCwd === undefined ? [] : [`BERTH_PREFERRED=${plan.preferredCwd}`]),
    ...(plan.tty !== undefined && plan.env?.TERM === undefined ? ['TERM=xterm-256color'] : []),
  ];
  const argv = [...execFront, ...plan.argv];
  return { argv, user: plan.user, tty: plan.tty !== undefined, env, cwd: plan.cwd ?? homeFolder };
}

/** A user's process: with the environment of a login, and with an end that reaches everything it started. */
export async function openExec(endpoint: Endpoint, container: string, plan: ExecPlan): Promise<ExecSession> {
  const id = randomUUID();
  const raw = await startExec(endpoint, container, processOf(id, plan));
  const report = new HeldReport(plan);
  const { stdout, stderr, done } = outputOf(
    raw.stream,
    plan.tty !== undefined,
    filterOf(raw, container, report),
  );
  let hasEnded = false;
  const exit = finish(endpoint, raw, container, done, report).finally(() => (hasEnded = true));
  exit.catch(() => undefined);
  return {
    stdin: stdinOf(raw.stream),
    stdout,
    stderr,
    exit,
    resize: (cols, rows) => resize(raw.exec, cols, rows),
    kill: async () => {
      if (!hasEnded) {
        const plan = { argv: endExecCommand(id), timeoutMs: killTimeoutMs };
        const cut = (): void => void raw.stream.destroy(new Error('It does not end.'));
        await endWithin(exit, () => runInside(endpoint, container, plan), cut);
      }
    },
  };
}

export interface InsidePlan {
  argv: readonly string[];
  stdin?: Buffer;
  timeoutMs: number;
  signal?: AbortSignal;
}

/**
 * A short command of our own, as root: its exit code and the end of what it said. Throws `cancelled`, and `timeout`
 * with the last that was seen.
 */
export async function runInside(
  endpoint: Endpoint,
  container: string,
  plan: InsidePlan,
): Promise<{ exitCode: number; output: string }> {
  const raw = await startExec(endpoint, container, { argv: plan.argv, user: '0:0', tty: false, env: [] });
  const { stdout, stderr, done } = demultiplex(raw.stream);
  let output = '';
  const collect = (chunk: Buffer): void => {
    output = (output + chunk.toString('utf8')).slice(-4096);
  };
  stdout.on('data', collect).on('error', () => undefined);
  stderr.on('data', collect).on('error', () => undefined);
  const stdin = stdinOf(raw.stream);
  stdin.on('error', () => undefined);
  stdin.end(plan.stdin);
  const timeout = AbortSignal.timeout(plan.timeoutMs);
  const ended = plan.signal === undefined ? timeout : AbortSignal.any([timeout, plan.signal]);
  const close = (): void => void raw.stream.destroy(new Error('given up'));
  ended.addEventListener('abort', close, { once: true });
  try {
    return { exitCode: await finish(endpoint, raw, container, done), output: output.trim() };
  } catch (error) {
    if (plan.signal?.aborted === true) {
      throw new BerthError('cancelled', 'Cancelled.');
    }
    if (timeout.aborted) {
      throw new BerthError(
        'timeout',
        `Timed out after ${plan.timeoutMs / 1000} s waiting for a command in ${container} to end. Last seen: ${output.trim()}`,
      );
    }
    throw error;
  } finally {
    ended.removeEventListener('abort', close);
  }
}
