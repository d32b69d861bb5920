import assert from 'node:assert/strict';
import { sideBySide } from '../../../../src/backend/machine/side-by-side';
import { turns } from '../../../support/wait';

describe('machine/side-by-side', () => {
  it('has so many under way, and answers in their order', async () => {
    for (const atOnce of [1, 2, 3, 9]) {
      let underWay = 0;
      let most = 0;
      const work = async (each: number): Promise<number> => {
        underWay += 1;
        most = Math.max(most, underWay);
        await turns(7 - each);
        underWay -= 1;
        return each * 10;
      };
      assert.deepEqual(await sideBySide([1, 2, 3, 4, 5], atOnce, work), [10, 20, 30, 40, 50]);
      assert.equal(most, Math.min(atOnce, 5));
    }
    assert.deepEqual(await sideBySide([], 3, () => Promise.resolve(1)), []);
  });

  it('throws the failure when nothing of it goes on any more, and begins no more', async () => {
    const begun: number[] = [];
    const ended: number[] = [];
    const work = async (each: number): Promise<void> => {
      begun.push(each);
      await turns(each);
      if (each === 1) {
        throw new Error('the first');
      }
      await turns(5);
      ended.push(each);
    };
    await assert.rejects(sideBySide([3, 1, 2, 4], 2, work), /the first/);
    assert.deepEqual([begun, ended], [[3, 1], [3]]);
  });

  it('throws the failure that came first, whichever of them it was, and falsy ones too', async () => {
    for (const [order, expected] of [
      [[1, 9], 'after 1'],
      [[9, 1], 'after 1'],
      [[9, 5, 1], 'after 1'],
    ] as const) {
      const work = async (each: number): Promise<void> => {
        await turns(each);
        throw new Error(`after ${each}`);
      };
      await assert.rejects(sideBySide(order, 3, work), new RegExp(`^Error: ${expected}$`));
    }
    await assert.rejects(
      sideBySide([1], 1, () => Promise.reject(undefined)),
      (error) => error === undefined,
    );
  });
});
