/** What transfers out of a volume share. */
import { asBerthError } from '../../api/errors';
import type { VolumeFiles } from '../files/volume-files';
import type { TransferPlan } from './transfer-request';
import type { Outcome } from './transfer-result';

export async function totalBytes(
  plan: TransferPlan,
  files: VolumeFiles,
  signal: AbortSignal,
): Promise<number> {
  let total = 0;
  for (const { source } of plan.items) {
    total += (await files.usage(source, signal)).bytes;
  }
  return total;
}

/** The end of a move: of what arrived as a whole, the original goes. */
export async function removeOriginals(
  plan: TransferPlan,
  files: VolumeFiles,
  outcome: Outcome,
): Promise<void> {
  for (const { source, name } of plan.items.filter((item) => outcome.isComplete(item.name))) {
    try {
      await files.remove(source, { recursive: true });
    } catch (error) {
      outcome.fail(name, source, `copied, but not removed: ${asBerthError(error).message}`);
    }
  }
}
