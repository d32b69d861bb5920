import assert from 'node:assert/strict';
import { Outcome } from '../../../../../src/backend/services/transfers/result';
import { noteMissing } from '../../../../../src/backend/services/transfers/sources';
import type { TransferPlan } from '../../../../../src/backend/services/transfers/request';
import { TestContext } from '../../../../support/test-context';

describe('what is missing after a transfer', () => {
  const plan: TransferPlan = {
    ...{ fromVolume: 'one', toVolume: undefined, target: '/', move: true, policy: 'fail' },
    items: [
      { source: '/a', name: 'a' },
      { source: '/b', name: 'b' },
    ],
  };
  const noted = (expected: number, arrived: number, prepare?: (outcome: Outcome) => void) => {
    const outcome = new Outcome();
    outcome.result.files = arrived;
    prepare?.(outcome);
    const warnings: string[] = [];
    noteMissing(plan, expected, outcome, new TestContext(warnings));
    return { warnings, kept: plan.items.map(({ name }) => !outcome.isComplete(name)) };
  };

  it('is nothing when all arrived, or more than was counted', () => {
    assert.deepEqual(noted(3, 3), { warnings: [], kept: [false, false] });
    assert.deepEqual(noted(3, 4), { warnings: [], kept: [false, false] });
  });

  it('is said, and keeps every original of a move', () => {
    const { warnings, kept } = noted(3, 2);
    assert.deepEqual(warnings, ['3 files were counted, 2 arrived: some changed while they were copied.']);
    assert.deepEqual(kept, [true, true]);
  });

  it('is not what was skipped or failed, which only keeps its own original', () => {
    const skip = (outcome: Outcome): void => outcome.skip('a/f', '/a/f', 'it is there already');
    assert.deepEqual(noted(3, 2, skip), { warnings: [], kept: [true, false] });
    const { warnings, kept } = noted(4, 2, skip);
    assert.match(warnings.join(), /^4 files were counted, 2 arrived: some of the other 1 changed/);
    assert.deepEqual(kept, [true, true]);
  });
});

describe('what a transfer says has failed', () => {
  it('is named once: not again below it, nor by the same name', () => {
    const outcome = new Outcome();
    for (const path of ['/dd/a', '/dd/a/b', '/dd/a/b/c', '/dd/a', '/dd/ab', '/dd/z/1', '/dd/z/2']) {
      outcome.fail('dd', path, 'its name is too long');
    }
    outcome.fail('other', '/dd/a/other', 'its name is too long');
    assert.deepEqual(
      outcome.result.failed.map(({ path }) => path),
      ['/dd/a', '/dd/ab', '/dd/z/1', '/dd/z/2'],
    );
    assert.deepEqual([outcome.isComplete('other'), outcome.isComplete('third')], [false, true]);
  });
});
