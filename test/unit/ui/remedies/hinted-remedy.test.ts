import assert from 'node:assert/strict';
import { imageMissing } from '../../../../src/api/rules/image-reference';
import { hintedRemedy, hintInWindow } from '../../../../src/ui/remedies/hinted-remedy';
import { standIn } from '../../../support/vscode/stand-in';

describe('ui/hinted-remedy', () => {
  beforeEach(() => standIn.reset());

  it('says of the base image what is missing, and by which button it comes, without a command line', () => {
    const missing = imageMissing('workspace:latest');
    assert.equal(missing.message, "The workspace image 'workspace:latest' is not built yet.");
    assert.equal(missing.hint, 'Build it: `berth image build`.');
    assert.equal(hintInWindow(missing), 'Build it: “Build Image”.');
    assert.equal(hintedRemedy(missing)?.title, 'Build Image');
  });

  it('leaves no command line in what is said of other images', () => {
    const missing = imageMissing('nothing/there:1');
    assert.doesNotMatch(`${missing.message} ${hintInWindow(missing) ?? ''}`, /berth/);
  });
});
