/** From a volume to this machine. */
import { mkdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { BerthError } from '../../../api/errors';
import { syncBelow, syncFolders } from '../../files/local/durable';
import { mergeLocalStage } from '../../files/local/stage';
import type { LocalThread, LocalThreads } from '../../files/local/thread';
import { diskError, unpackTar, type Renaming } from '../../files/local/unpack/unpack';
import type { TakeChunk } from '../../tar/flow';
import type { VolumeFiles } from '../../files/volume-files';
import type { DownloadDrafts } from '../../store/download-drafts';
import type { OperationContext } from '../operations/operation-context';
import { copyOrMove, measure, noteMissing } from './sources';
import { TransferProgress } from './progress';
import type { Item, TransferPlan } from './request';
import { Outcome, type TransferResult } from './result';

async function requireFolder(folder: string): Promise<void> {
  const status = await stat(folder).catch(() => undefined);
  if (status?.isDirectory() !== true) {
    throw new BerthError('not_found', `There is no folder ${JSON.stringify(folder)} on this machine.`, {
      field: 'to.local',
    });
  }
}

async function draftIn(
  drafts: DownloadDrafts,
  folder: string,
): Promise<{ path: string; remove: () => Promise<void> }> {
  try {
    return await drafts.make(folder);
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : '';
    throw ['ENOSPC', 'EDQUOT', 'EROFS'].includes(code)
      ? diskError(code, error)
      : new BerthError('forbidden', `Nothing can be written to ${JSON.stringify(folder)}.`, {
          hint: error instanceof Error ? error.message : String(error),
          cause: error,
        });
  }
}

/** Entries are named from the base name of what was asked for: that part is replaced by the name wanted. */
function renamed({ source, name }: Item): Renaming {
  return { drop: source === '/' ? 0 : 1, prefix: [name] };
}

/** Each item has a folder of its own: it meets nothing that another one made, links above all. */
function stageOf(stage: string, index: number): string {
  return join(stage, String(index));
}

/** Moves what was staged to where it belongs; answers how much stayed behind. */
async function place(
  plan: TransferPlan,
  stage: string,
  context: OperationContext,
  outcome: Outcome,
  changed: Set<string>,
): Promise<number> {
  let stayed = 0;
  for (const index of plan.items.keys()) {
    const from = stageOf(stage, index);
    const merge = await mergeLocalStage(from, plan.target, plan.policy, context.signal, changed);
    stayed += merge.skipped.length + merge.failed.length;
    outcome.add({ ...merge, files: 0 }, (path) => join(plan.target, path));
  }
  return stayed;
}

/** Of a move, what was staged is on the disk before it is placed, and where it is placed before the originals go. */
async function settle(
  plan: TransferPlan,
  stage: string,
  context: OperationContext,
  outcome: Outcome,
): Promise<number> {
  if (plan.move) {
    await syncBelow(stage, context.signal);
  }
  const changed = new Set<string>();
  const stayed = await place(plan, stage, context, outcome, changed);
  if (plan.move) {
    await syncFolders(changed, context.signal);
  }
  return stayed;
}

async function receive(
  plan: TransferPlan,
  files: VolumeFiles,
  stage: string,
  context: OperationContext,
  outcome: Outcome,
  total: number,
  thread: LocalThread,
  note?: string,
): Promise<number> {
  const progress = new TransferProgress(context, total);
  const at = (name: string): string => join(plan.target, name);
  const report = {
    received: (bytes: number, name: string) => progress.add(bytes, name),
    failed: (name: string, reason: string) => outcome.fail(name, at(name), reason),
    lost: (name: string, attributes: readonly string[]) => outcome.lose(attributes, at(name)),
  };
  let count = 0;
  for (const [index, item] of plan.items.entries()) {
    await mkdir(stageOf(stage, index), { mode: 0o700 });
    const unread = (path: string, reason: string): void => outcome.fail(item.name, path, reason);
    const receiveItem = (take: TakeChunk): Promise<void> =>
      files.receiveTar(item.source, take, context.signal, unread, note);
    const place = { folder: stageOf(stage, index), renaming: renamed(item) };
    count += await unpackTar(receiveItem, place, { report, signal: context.signal, thread });
  }
  progress.report();
  outcome.result.bytes = progress.bytes;
  return count;
}

export interface DownloadDeps {
  drafts: DownloadDrafts;
  threads: LocalThreads;
}

/** Copies or moves what a plan names. Throws when nothing arrived; what failed in part is in the result. */
export async function download(
  plan: TransferPlan,
  files: VolumeFiles,
  { drafts, threads }: DownloadDeps,
  context: OperationContext,
): Promise<TransferResult> {
  const outcome = new Outcome();
  await requireFolder(plan.target);
  await copyOrMove(plan, files, context, outcome, (note) =>
    // The thread starts while the files are measured.
    threads.use((thread) => copyItems(plan, files, { drafts, thread }, context, outcome, note)),
  );
  return outcome.result;
}

async function copyItems(
  plan: TransferPlan,
  files: VolumeFiles,
  { drafts, thread }: { drafts: DownloadDrafts; thread: LocalThread },
  context: OperationContext,
  outcome: Outcome,
  note?: string,
): Promise<void> {
  const expected = await measure(plan, files, context);
  const draft = await draftIn(drafts, plan.target);
  const stage = draft.path;
  try {
    const count = await context.step('copy', 'Copy', () =>
      receive(plan, files, stage, context, outcome, expected.bytes, thread, note),
    );
    const stayed = await context.step('place', 'Put in place', () => settle(plan, stage, context, outcome));
    outcome.result.files += Math.max(0, count - stayed);
    noteMissing(plan, expected.files, outcome, context);
    outcome.reportLosses((text) => context.warn(text));
  } catch (error) {
    // All else may be for want of it.
    await requireFolder(plan.target);
    throw error;
  } finally {
    await draft.remove();
  }
}
