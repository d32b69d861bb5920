import assert from 'node:assert/strict';
import { standIn } from '../../support/vscode/stand-in';
import { progressText } from '../../../src/ui/progress';
import { operation } from '../providers/fixtures';

describe('ui/progress', () => {
  beforeEach(() => standIn.reset());

  const steps = [
    { name: 'measure', title: 'Count the files to delete', outcome: 'done' as const },
    { name: 'remove', title: 'Delete', outcome: 'running' as const },
  ];

  it('names the step, and how many files it has done', () => {
    assert.equal(progressText(operation('o', { steps })), 'Delete (2/2)');
    const progress = { unit: 'files' as const, done: 120, total: 5_000 };
    assert.equal(progressText(operation('o', { steps, progress })), 'Delete (2/2), 120 of 5000 files');
    assert.equal(progressText(operation('o', { progress: { unit: 'files', done: 3 } })), '3 files');
  });

  it('says of bytes how many and how fast, without the step', () => {
    const progress = { unit: 'bytes' as const, done: 12e6, total: 40e6, rate: 8.1e6 };
    assert.equal(progressText(operation('o', { steps, progress })), '12.0 MB of 40.0 MB, 8.1 MB/s');
  });

  it('says nothing of what has no steps', () => {
    assert.equal(progressText(operation('o')), '');
  });
});
