/** The results of operations, read once for all clients. */
import { BerthError } from '../errors';
import type { Operation, TransferResult } from '../operations/schemas';

type Fields = Record<string, unknown>;

function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null;
}

function hasTexts(keys: readonly string[], value: unknown): boolean {
  return (
    Array.isArray(value) &&
    value.every((entry) => isFields(entry) && keys.every((key) => typeof entry[key] === 'string'))
  );
}

function isTransferResult(value: unknown): value is TransferResult {
  return (
    isFields(value) &&
    typeof value.files === 'number' &&
    typeof value.bytes === 'number' &&
    hasTexts(['path', 'reason'], value.skipped) &&
    hasTexts(['path', 'reason'], value.failed) &&
    hasTexts(['from', 'to'], value.renamed)
  );
}

/** Of a transfer that has succeeded. Throws `internal` for what is none. */
export function transferResultOf({ id, result }: Pick<Operation, 'id' | 'result'>): TransferResult {
  if (!isTransferResult(result)) {
    throw new BerthError('internal', `Operation ${id} does not have the result of a transfer.`);
  }
  return result;
}

/** How many files of an operation failed, and how many arrived; of one that is no transfer none. */
export function transferFailures({ result }: Pick<Operation, 'result'>): { failed: number; arrived: number } {
  return isTransferResult(result)
    ? { failed: result.failed.length, arrived: result.files }
    : { failed: 0, arrived: 0 };
}
