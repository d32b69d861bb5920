import assert from 'node:assert/strict';
import { BerthError, type ErrorCode } from '../../src/api/errors';

/** The error that `run` fails with, which must be one for people, with that code. */
export async function failure(
  run: Promise<unknown> | (() => unknown),
  code?: ErrorCode,
): Promise<BerthError> {
  try {
    await (typeof run === 'function' ? run() : run);
  } catch (error) {
    assert(error instanceof BerthError, `not a BerthError: ${String(error)}`);
    if (code !== undefined) {
      assert.equal(error.code, code, error.message);
    }
    return error;
  }
  assert.fail('It should have failed.');
}
