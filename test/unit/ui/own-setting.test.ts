import assert from 'node:assert/strict';
import { ownValue } from '../../../src/ui/own-setting';

describe('The value of a setting that acts', () => {
  it("is that of the user's own settings, whatever the machine of a remote window says", () => {
    const cases: [Parameters<typeof ownValue>[0], unknown][] = [
      [undefined, undefined],
      [{}, undefined],
      [{ globalValue: 'own' }, 'own'],
      [{ globalLocalValue: 'own', globalValue: 'own' }, 'own'],
      [{ globalLocalValue: 'own', globalRemoteValue: 'theirs', globalValue: 'theirs' }, 'own'],
      [{ globalRemoteValue: 'theirs', globalValue: 'theirs' }, undefined],
      [{ globalLocalValue: '', globalRemoteValue: 'theirs', globalValue: 'theirs' }, ''],
    ];
    for (const [inspected, expected] of cases) {
      assert.equal(ownValue(inspected), expected, JSON.stringify(inspected));
    }
  });

  it('is never one of a folder', () => {
    const inspected: Record<string, unknown> = {
      workspaceValue: 'theirs',
      workspaceFolderValue: 'theirs',
      defaultValue: '',
    };
    assert.equal(ownValue(inspected), undefined);
  });
});
