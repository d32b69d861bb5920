import assert from 'node:assert/strict';
import { Ending } from '../../../../../src/backend/services/engine/ending';
import { turns } from '../../../../support/wait';

describe('services/engine/ending', () => {
  function endingWhile(reason: string | undefined): { ending: Ending; seen: string[] } {
    const seen: string[] = [];
    const ending = new Ending({
      lifetime: { touch: () => void seen.push('touched') },
      reasonToStay: () => reason,
      exit: () => void seen.push('ended'),
    });
    return { ending, seen };
  }

  it('ends whatever is under way when it is told to, after the answer', async () => {
    const { ending, seen } = endingWhile('an operation is running');
    assert.deepEqual(ending.ask(false), { stopping: true });
    assert.deepEqual(seen, []);
    await turns();
    assert.deepEqual(seen, ['ended']);
  });

  it('stays where something would be cut off, and says what', async () => {
    const { ending, seen } = endingWhile('an operation is running');
    assert.deepEqual(ending.ask(true), { stopping: false, reason: 'an operation is running' });
    await turns();
    assert.deepEqual(seen, ['touched']);
    const idle = endingWhile(undefined);
    assert.deepEqual(idle.ending.ask(true), { stopping: true });
  });
});
