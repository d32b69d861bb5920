/** From one volume to another, and within one. */
import { Transform, type Readable, type TransformCallback } from 'node:stream';
import { BerthError, type ErrorCode } from '../../../api/errors';
import { copyName, firstFree } from '../../files/naming';
import { baseName, joinPath } from '../../../api/rules/volume-path';
import type { Loss, VolumeFiles } from '../../files/volume-files';
import type { OperationContext } from '../operations/operation-context';
import { volumeSide } from './conflicts';
import { TransferProgress } from './progress';
import { targetPath, type Item, type TransferPlan } from './request';
import { Outcome, type TransferResult } from './result';
import { copyOrMove, measure, noteMissing } from './sources';

function counted(tar: Readable, count: (bytes: number) => void): Transform {
  const counter = new Transform({
    highWaterMark: 1024 * 1024,
    transform(chunk: Buffer, _encoding, done: TransformCallback) {
      count(chunk.length);
      done(null, chunk);
    },
  });
  tar.on('error', (error) => counter.destroy(error));
  counter.on('close', () => tar.destroy());
  return tar.pipe(counter);
}

/** One volume's tar is the other's; in the stage it gets the name that it is to have. */
async function pipeItem(
  item: Item,
  from: VolumeFiles,
  to: VolumeFiles,
  stage: string,
  count: (bytes: number) => void,
  outcome: Outcome,
  signal: AbortSignal,
  note?: string,
): Promise<void> {
  const isRoot = item.source === '/';
  const folder = isRoot ? joinPath(stage, item.name) : stage;
  if (isRoot) {
    await to.mkdir(folder);
  }
  const unread = (path: string, reason: string): void => outcome.fail(item.name, path, reason);
  const tar = await from.getTar(item.source, signal, unread, note);
  const { lost, failed } = await to.putTar(folder, counted(tar, count), signal);
  lost.forEach((loss) => outcome.lost(loss, (path) => `/${path}`));
  failed.forEach(({ path, reason }) => outcome.fail(item.name, path, reason));
  const arrivedAs = baseName(item.source);
  if (!isRoot && arrivedAs !== item.name) {
    await to.rename(joinPath(stage, arrivedAs), joinPath(stage, item.name), { overwrite: false });
  }
}

/** Of one item: the others can be copied all the same. */
const stopsOnlyItself: ReadonlySet<ErrorCode> = new Set([
  'not_supported',
  'forbidden',
  'capacity',
  'too_large',
]);

async function fill(
  plan: TransferPlan,
  from: VolumeFiles,
  to: VolumeFiles,
  stage: string,
  context: OperationContext,
  outcome: Outcome,
  total: number,
  note?: string,
): Promise<void> {
  const progress = new TransferProgress(context, total);
  for (const item of plan.items) {
    if (from === to) {
      const before = progress.bytes;
      const staged = joinPath(stage, item.name);
      // Nobody knows the stage, which is gone when this is read.
      const original = (path: string): string =>
        path.startsWith(staged) ? `${item.source}${path.slice(staged.length)}` : path;
      const options = {
        overwrite: false,
        note,
        progress: (bytes: number) => progress.set(before + bytes, item.name),
        lost: (loss: Loss) => outcome.lost(loss, original),
        unread: (path: string, reason: string) => outcome.fail(item.name, path, reason),
      };
      await from.copy(item.source, staged, options, context.signal).catch((error: unknown) => {
        if (!(error instanceof BerthError && stopsOnlyItself.has(error.code))) {
          throw error;
        }
        outcome.fail(item.name, item.source, error.message);
      });
    } else {
      // The tar is a little larger than what is in it.
      const count = (bytes: number): void => progress.set(Math.min(total, progress.bytes + bytes), item.name);
      await pipeItem(item, from, to, stage, count, outcome, context.signal, note);
    }
  }
  progress.set(total);
  progress.report();
  outcome.result.bytes = total;
}

/** What is copied to where it is already becomes "name copy"; moved there, it stays. */
async function besideItself(plan: TransferPlan, files: VolumeFiles): Promise<TransferPlan> {
  const side = volumeSide(files);
  const items: Item[] = [];
  for (const item of plan.items) {
    if (targetPath(plan, item) !== item.source) {
      items.push(item);
    } else if (!plan.move) {
      const isFolder = (await side.typeOf(item.source)) === 'directory';
      const isTaken = async (name: string): Promise<boolean> =>
        (await side.typeOf(joinPath(plan.target, name))) !== undefined;
      const name = await firstFree((number) => copyName(item.name, number, isFolder), isTaken);
      items.push({ ...item, name });
    }
  }
  return { ...plan, items };
}

/** False: something else is mounted there. */
async function hasRenamed(files: VolumeFiles, from: string, to: string): Promise<boolean> {
  try {
    await files.rename(from, to, { overwrite: false, mayCopy: false });
    return true;
  } catch (error) {
    if (error instanceof BerthError && error.code === 'not_supported') {
      return false;
    }
    throw error;
  }
}

/** Moves by renaming what has nothing in its way; answers what is left to be copied. */
async function renameItems(plan: TransferPlan, files: VolumeFiles, outcome: Outcome): Promise<TransferPlan> {
  const side = volumeSide(files);
  const left: Item[] = [];
  for (const item of plan.items) {
    if ((await side.typeOf(targetPath(plan, item))) === undefined) {
      const { files: count, bytes } = await files.usage(item.source);
      if (await hasRenamed(files, item.source, targetPath(plan, item))) {
        outcome.result.files += count;
        outcome.result.bytes += bytes;
      } else {
        left.push(item);
      }
    } else {
      left.push(item);
    }
  }
  return { ...plan, items: left };
}

async function copyItems(
  plan: TransferPlan,
  from: VolumeFiles,
  to: VolumeFiles,
  context: OperationContext,
  outcome: Outcome,
  note?: string,
): Promise<void> {
  const expected = await measure(plan, from, context);
  const stage = await to.stage();
  try {
    await context.step('copy', 'Copy', () =>
      fill(plan, from, to, stage, context, outcome, expected.bytes, note),
    );
    context.signal.throwIfAborted();
    const result = await context.step('place', 'Put in place', () =>
      to.merge(stage, plan.target, plan.policy),
    );
    outcome.add(result, (path) => joinPath(plan.target, path.slice(1)));
    noteMissing(plan, expected.files, outcome, context);
    outcome.reportLosses((text) => context.warn(text));
  } finally {
    await to.unstage(stage);
  }
}

/** Copies or moves what a plan names. Throws when nothing arrived; what failed in part is in the result. */
export async function between(
  plan: TransferPlan,
  from: VolumeFiles,
  to: VolumeFiles,
  context: OperationContext,
): Promise<TransferResult> {
  const outcome = new Outcome();
  let left = from === to ? await besideItself(plan, to) : plan;
  if (from === to && plan.move) {
    left = await context.step('move', 'Move', () => renameItems(left, to, outcome));
  }
  if (left.items.length > 0) {
    await copyOrMove(left, from, context, outcome, (note) =>
      copyItems(left, from, to, context, outcome, note),
    );
  }
  return outcome.result;
}
