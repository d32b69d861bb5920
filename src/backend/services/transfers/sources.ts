/** What transfers out of a volume share. */
import { asBerthError } from '../../../api/errors';
import { quote } from '../../../api/rules/volume-path';
import { notRemoved } from '../../files/kept';
import type { VolumeFiles } from '../../files/volume-files';
import type { OperationContext } from '../operations/operation-context';
import { targetPath, type Item, type TransferPlan } from './request';
import type { Outcome } from './result';

export interface Measured {
  bytes: number;
  files: number;
}

/** How many files and bytes there are to copy, and which of the sources are missing. */
export async function measure(
  plan: TransferPlan,
  files: VolumeFiles,
  context: OperationContext,
): Promise<Measured> {
  return context.step('measure', 'Measure the files to copy', async () => {
    const total = { bytes: 0, files: 0 };
    for (const { source } of plan.items) {
      const usage = await files.usage(source, context.signal);
      total.bytes += usage.bytes;
      total.files += usage.files;
    }
    return total;
  });
}

/** Fewer than were counted, and what failed does not say why: then no original may be removed. */
export function noteMissing(
  plan: TransferPlan,
  expected: number,
  outcome: Outcome,
  context: OperationContext,
): void {
  const { files, skipped, failed } = outcome.result;
  const known = files + skipped.length + failed.length;
  if (known >= expected) {
    return;
  }
  const rest = known === files ? '' : ` of the other ${expected - known}`;
  const why =
    failed.length > 0
      ? 'the others are in what could not be copied, or changed meanwhile'
      : `some${rest} changed while they were copied`;
  context.warn(`${expected} files were counted, ${files} arrived: ${why}.`);
  outcome.doubt(plan.items.map(({ name }) => name));
}

/** Copies; of a move, the files note what is read, and at its end that goes, of what arrived as a whole. */
export async function copyOrMove(
  plan: TransferPlan,
  files: VolumeFiles,
  context: OperationContext,
  outcome: Outcome,
  copy: (note?: string) => Promise<void>,
): Promise<void> {
  if (!plan.move) {
    await copy();
    return;
  }
  const note = await files.noteCopied();
  try {
    await copy(note);
    const remove = (items: readonly Item[]): Promise<void> => removeOriginals(items, files, note, outcome);
    await removeWhole(plan, outcome, context, remove);
  } finally {
    await files.forgetCopied(note);
  }
}

/**
 * The end of a move: hands on what arrived as a whole. Of the rest the originals stay, which is said where what failed
 * does not say it already: part of them was copied.
 */
export async function removeWhole(
  plan: TransferPlan,
  outcome: Outcome,
  context: OperationContext,
  remove: (items: readonly Item[]) => Promise<void>,
): Promise<void> {
  const isWhole = ({ name }: Item): boolean => outcome.isComplete(name);
  const { failed, skipped } = outcome.result;
  const named = new Set([...failed, ...skipped].map(({ path }) => path));
  const inPart = plan.items.filter(
    (item) => !isWhole(item) && !named.has(item.source) && !named.has(targetPath(plan, item)),
  );
  const whole = plan.items.filter(isWhole);
  if (whole.length > 0) {
    await context.step('remove', 'Remove the originals', () => remove(whole));
  }
  const [first, ...others] = inPart;
  if (first !== undefined) {
    const what = quote(first.name) + (others.length === 0 ? '' : ` and ${others.length} more`);
    context.warn(`Not all of ${what} was copied: all originals of it stay, also of what was.`);
  }
}

async function removeOriginals(
  items: readonly Item[],
  files: VolumeFiles,
  note: string,
  outcome: Outcome,
): Promise<void> {
  for (const { source, name } of items) {
    try {
      const kept = await files.removeCopied(note, source);
      kept.forEach(({ path, reason }) => outcome.fail(name, path, reason));
    } catch (error) {
      outcome.fail(name, source, notRemoved(asBerthError(error).message));
    }
  }
}
