/** From this machine into a volume. */
import { sep } from 'node:path';
import { BerthError } from '../../../api/errors';
import { addDetail } from '../../files/local/detail';
import { packLocal } from '../../files/local/pack';
import { removeCopied } from '../../files/local/remove-copied';
import { reasonOf, walkLocal, type LocalNode, type LocalTree } from '../../files/local/tree';
import { ownerIn } from '../../files/owners';
import { capability, setIdReason } from '../../tar/losses';
import { joinPath } from '../../../api/rules/volume-path';
import type { VolumeFiles } from '../../files/volume-files';
import type { OperationContext } from '../operations/operation-context';
import { noteMissing, removeWhole } from './sources';
import { TransferProgress } from './progress';
import type { TransferPlan } from './request';
import { Outcome, type TransferResult } from './result';

async function walk(plan: TransferPlan, context: OperationContext, outcome: Outcome): Promise<LocalTree> {
  try {
    const tree = await walkLocal(plan.items, context.signal);
    const isAll = await addDetail(tree.nodes, context.signal, ({ source }) =>
      outcome.lose([capability], source),
    );
    if (!isAll && process.platform === 'linux') {
      const count = tree.nodes.filter(({ type }) => type !== 'symlink').length;
      const what = `extended attributes and access lists of ${count} files and folders`;
      context.warn(
        `No ${what} were copied, if they have any: this machine has no python3 to read them with.`,
      );
    }
    for (const { source } of tree.nodes.filter(({ dropsSetId }) => dropsSetId)) {
      outcome.lose([setIdReason], source);
    }
    for (const { path, reason } of tree.failed) {
      outcome.fail(itemOf(plan, path), path, reason);
    }
    return tree;
  } catch (error) {
    context.signal.throwIfAborted();
    throw new BerthError('not_found', `The files to copy can't be read: ${reasonOf(error)}.`, {
      hint: error instanceof Error ? error.message : String(error),
      cause: error,
    });
  }
}

/** The name of what was asked for that has this in it: `ab` is not in `a`. */
function itemOf(plan: TransferPlan, path: string): string {
  const isBelow = (source: string): boolean => path.startsWith(source.endsWith(sep) ? source : source + sep);
  return plan.items.find(({ source }) => path === source || isBelow(source))?.name ?? path;
}

/** Sends everything in one tar into a stage; what could not be sent as it is, is taken out again. */
async function send(
  files: VolumeFiles,
  stage: string,
  tree: LocalTree,
  plan: TransferPlan,
  context: OperationContext,
  outcome: Outcome,
): Promise<void> {
  const progress = new TransferProgress(context, tree.bytes);
  const torn = new Map<string, { node: LocalNode; reason: string }>();
  const report = {
    sent: (bytes: number, name: string) => progress.add(bytes, name),
    failed: (node: LocalNode, reason: string) => outcome.fail(node.name, node.source, reason),
    torn: (node: LocalNode, reason: string) => void torn.set(node.name, { node, reason }),
  };
  const owner = ownerIn(await files.stat(plan.target));
  const { signal } = context;
  const pack = (nodes: readonly LocalNode[]) => packLocal(nodes, owner, report, signal);
  const { putBulk } = files;
  const isBulk = (node: LocalNode): boolean => putBulk !== undefined && isSimple(node, putBulk.minBytes);
  const bulk = tree.nodes.filter(isBulk);
  if (putBulk !== undefined && bulk.length > 0) {
    await putBulk.put(stage, pack(bulk), signal);
  }
  const others = tree.nodes.filter((node) => !isBulk(node));
  const { lost, failed } = await files.putTar(stage, pack(others), signal);
  lost.forEach((loss) => outcome.lost(loss, (path) => joinPath(plan.target, path)));
  failed.forEach(({ path, reason }) => outcome.fail(path.slice(1), path, reason));
  progress.report();
  outcome.result.bytes = progress.bytes;
  for (const [name, { node, reason }] of torn) {
    await files.remove(`${stage}/${name}`, { recursive: false });
    outcome.fail(name, node.source, reason);
  }
}

function isSimple({ type, size, sparse, xattrs }: LocalNode, minBytes: number): boolean {
  return type === 'file' && size >= minBytes && sparse === undefined && xattrs === undefined;
}

/** Copies or moves what a plan names. Throws when nothing arrived; what failed in part is in the result. */
export async function upload(
  plan: TransferPlan,
  files: VolumeFiles,
  context: OperationContext,
): Promise<TransferResult> {
  const outcome = new Outcome();
  const tree = await context.step('measure', 'Measure the files to copy', () => walk(plan, context, outcome));
  const stage = await files.stage();
  try {
    await context.step('copy', 'Copy', () => send(files, stage, tree, plan, context, outcome));
    context.signal.throwIfAborted();
    const result = await context.step('place', 'Put in place', () =>
      files.merge(stage, plan.target, plan.policy),
    );
    outcome.add(result, (path) => joinPath(plan.target, path.slice(1)));
    noteMissing(plan, tree.files, outcome, context);
    outcome.reportLosses((text) => context.warn(text));
  } finally {
    await files.unstage(stage);
  }
  if (plan.move) {
    await removeWhole(plan, outcome, context, () => removeSources(tree, outcome));
  }
  return outcome.result;
}

async function removeSources(tree: LocalTree, outcome: Outcome): Promise<void> {
  const isWhole = ({ name }: LocalNode): boolean => outcome.isComplete(name.split('/')[0] ?? name);
  const kept = await removeCopied(tree.nodes.filter(isWhole));
  kept.forEach(({ node, path, reason }) => outcome.fail(node.name, path, reason));
}
