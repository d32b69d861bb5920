/** The results of operations, typed by their kind (`api/operations/results.ts`), for clients without a schema library. */
import { BerthError, fromErrorBody, parseErrorBody, type ErrorBody } from '../errors';
import type { OperationKind, OperationResults } from '../operations/results';
import type { Operation } from '../operations/schemas';

type Ended<K extends OperationKind> = Pick<Operation, 'kind'> & { kind: K; result: OperationResults[K] };

/** Whether an operation is of that kind, and has produced what such a one does. */
export function hasProduced<K extends OperationKind>(
  operation: Pick<Operation, 'kind' | 'result'>,
  kind: K,
): operation is Ended<K> {
  return operation.kind === kind && operation.result !== undefined;
}

/** What an operation of that kind has produced. Throws `internal` for one of another kind, or that did not succeed. */
export function resultOf<K extends OperationKind>(
  operation: Pick<Operation, 'id' | 'kind' | 'result'>,
  kind: K,
): OperationResults[K] {
  if (!hasProduced(operation, kind)) {
    throw new BerthError('internal', `Operation ${operation.id} does not have the result of a ${kind}.`);
  }
  return operation.result;
}

/** Why an operation did not succeed: where it has no error it was cancelled, or the engine ended. */
export function bodyOf({ error }: { error?: unknown }): ErrorBody {
  return parseErrorBody({ error }) ?? new BerthError('cancelled', 'Cancelled.').toBody();
}

/** What the engine says went wrong, as the error it was. */
export function failureOf({ error }: { error: { message: string } }): BerthError {
  const body = parseErrorBody({ error });
  return body === undefined ? new BerthError('internal', error.message) : fromErrorBody(body);
}

/** How many files of an operation failed, and how many arrived; of one that is no transfer none. */
export function transferFailures(operation: Pick<Operation, 'kind' | 'result'>): {
  failed: number;
  arrived: number;
} {
  return hasProduced(operation, 'transfer')
    ? { failed: operation.result.failed.length, arrived: operation.result.files }
    : { failed: 0, arrived: 0 };
}
