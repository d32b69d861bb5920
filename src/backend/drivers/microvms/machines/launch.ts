/** From a machine's plan to a QEMU that answers. */
import { rename, rm, stat } from 'node:fs/promises';
import { mebibyte } from '../../../../api/rules/sizes';
import { isErrno } from '../../../machine/files';
import { explainEnd } from './launch-errors';
import { commandLine, type MachinePlan } from '../qemu/command-line';
import { killProcess, lastWords, startDetached, type StartedProcess } from '../qemu/process';
import type { QemuPrograms } from '../qemu/programs';
import { QmpClient } from '../qemu/qmp';
import type { RuntimeFiles } from '../runtimes/runtime-files';

const answerTimeoutMs = 30_000;
/** A console log of this size is put aside at the next start. */
const maxLogBytes = 8 * mebibyte;

export interface Launched {
  process: StartedProcess;
  qmp: QmpClient;
}

/**
 * Starts QEMU, which outlives us. When it ends before it answers, its last words are in the error. Throws
 * `runtime_unavailable`.
 */
export async function launch(
  { system, confinement }: QemuPrograms,
  plan: MachinePlan,
  files: RuntimeFiles,
  savedState?: string,
): Promise<Launched> {
  await Promise.all(Object.values(plan.sockets).map((path: string) => rm(path, { force: true })));
  await putLogAside(files.consoleLog);
  const process = await startDetached({
    ...{ binary: system, argv: [...confinement, ...commandLine(plan)], log: files.qemuLog },
    ...(savedState !== undefined && { input: savedState }),
  });
  try {
    const timeout = { timeoutMs: answerTimeoutMs, hopeless: () => process.ended() };
    return { process, qmp: await QmpClient.connect(plan.sockets.qmp, timeout) };
  } catch (error) {
    await killProcess(process.identity);
    throw explainEnd(plan, await lastWords(files.qemuLog), error);
  }
}

async function putLogAside(path: string): Promise<void> {
  try {
    if ((await stat(path)).size > maxLogBytes) {
      await rename(path, `${path}.old`);
    }
  } catch (error) {
    if (!isErrno(error, 'ENOENT')) {
      throw error;
    }
  }
}
