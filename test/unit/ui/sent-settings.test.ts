import assert from 'node:assert/strict';
import type { EngineSettings } from '../../../src/api';
import { SentSettings } from '../../../src/ui/sent-settings';
import { TestMemory } from '../../support/vscode/memory';

describe('ui/sent-settings', () => {
  const memory = new TestMemory();
  let current: EngineSettings = {};
  /** As after a reload of the window. */
  const settings = (): SentSettings => new SentSettings(memory, () => current);

  it('takes back what the user took out, until the engine was told', async () => {
    assert.deepEqual(settings().change('/a'), {});
    current = { defaultImage: 'debian:12', idle: { stopAfter: 9 } };
    await settings().taken('/a', settings().change('/a'));
    current = { idle: { pauseAfter: 1 } };
    const change = settings().change('/a');
    assert.deepEqual(change, { defaultImage: null, idle: { pauseAfter: 1 } });
    assert.deepEqual(settings().change('/a'), change);
    await settings().taken('/a', change);
    assert.deepEqual(settings().change('/a'), { idle: { pauseAfter: 1 } });
  });

  it('takes nothing back from an engine that it never told', () => {
    current = {};
    assert.deepEqual(settings().change('/b'), {});
    assert.deepEqual(settings().change('/a'), { idle: null });
  });
});
