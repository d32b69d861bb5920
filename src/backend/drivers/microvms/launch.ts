/** From a machine's plan to a QEMU that answers. */
import { rename, rm, stat } from 'node:fs/promises';
import { BerthError } from '../../../api/errors';
import { isErrno } from '../../store/files';
import { commandLine, type MachinePlan } from './qemu/command-line';
import { killProcess, lastWords, startDetached, type StartedProcess } from './qemu/process';
import { QmpClient } from './qemu/qmp';
import type { RuntimeFiles } from './runtime-files';

const answerTimeoutMs = 30_000;
/** A console log of this size is put aside at the next start. */
const largestLogBytes = 8 * 1024 * 1024;

export interface Launched {
  process: StartedProcess;
  qmp: QmpClient;
}

/** Starts QEMU, which outlives us. When it ends before it answers, its last words are in the error. */
export async function launch(
  binary: string,
  plan: MachinePlan,
  files: RuntimeFiles,
  savedState?: string,
): Promise<Launched> {
  await Promise.all(Object.values(plan.sockets).map((path: string) => rm(path, { force: true })));
  await putLogAside(files.consoleLog);
  const process = await startDetached({
    ...{ binary, argv: commandLine(plan), log: files.qemuLog },
    ...(savedState !== undefined && { input: savedState }),
  });
  try {
    const patience = { timeoutMs: answerTimeoutMs, hopeless: () => process.ended() };
    return { process, qmp: await QmpClient.connect(plan.sockets.qmp, patience) };
  } catch (error) {
    await killProcess(process.identity);
    throw explainEnd(plan, await lastWords(files.qemuLog), error);
  }
}

async function putLogAside(path: string): Promise<void> {
  try {
    if ((await stat(path)).size > largestLogBytes) {
      await rename(path, `${path}.old`);
    }
  } catch (error) {
    if (!isErrno(error, 'ENOENT')) {
      throw error;
    }
  }
}

/** QEMU's words for what somebody can do something about. */
export function explainEnd(
  plan: Pick<MachinePlan, 'name' | 'sshPort'>,
  said: string,
  cause: unknown,
): BerthError {
  const what = `${plan.name} could not be started`;
  if (/Failed to get .*lock|Cannot lock pid file/.test(said)) {
    const image = /another process using the image \[(.*)\]/.exec(said)?.[1];
    const thing = image === undefined ? 'it, or one of its disks' : `the disk image ${image}`;
    return new BerthError('in_use', `${what}: another program has ${thing}.`, {
      hint: 'Mostly that is another QEMU: end it, then start again.',
      cause,
    });
  }
  if (/Could not set up host forwarding rule/.test(said)) {
    return new BerthError('in_use', `${what}: port ${plan.sshPort ?? 0} is taken by another program.`, {
      hint: 'Start it again: it moves to a free port.',
      cause,
    });
  }
  if (/No space left on device/.test(said)) {
    return new BerthError('no_space', `${what}: the disk of the state directory is full.`, {
      hint: 'Make room there, then start again.',
      cause,
    });
  }
  if (/Cannot allocate memory|cannot set up guest memory/.test(said)) {
    return new BerthError('capacity', `${what}: there is not enough memory.`, {
      hint: 'Stop other workspaces, or give this one less.',
      cause,
    });
  }
  const details = said === '' ? '' : ` QEMU said: ${said}`;
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new BerthError('runtime_unavailable', `${what}: ${reason}${details}`, { cause });
}
