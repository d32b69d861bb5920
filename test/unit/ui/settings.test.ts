import assert from 'node:assert/strict';
import { standIn } from '../../support/vscode/stand-in';
import { setting } from '../../../src/ui/settings';

describe('a setting that had another name', () => {
  beforeEach(() => standIn.reset());

  const limit = () => setting('files.maxEditorSizeMiB', 50);

  it('is read by its earlier name until it has a value under the new one', () => {
    assert.equal(limit(), 50);
    standIn.settings.set('berth.files.maxEditorSizeMB', { globalValue: 7 });
    assert.equal(limit(), 7);
    standIn.settings.set('berth.files.maxEditorSizeMiB', { globalValue: 9 });
    assert.equal(limit(), 9);
  });
});
