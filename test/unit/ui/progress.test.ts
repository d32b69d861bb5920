import assert from 'node:assert/strict';
import { standIn } from '../../support/vscode/stand-in';
import { percent, progressText } from '../../../src/ui/progress';
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

  it('says of a copy how many bytes and how fast, without the step', () => {
    const progress = { unit: 'bytes' as const, done: 12 * 2 ** 20, total: 40 * 2 ** 20, rate: 8.1 * 2 ** 20 };
    const copy = operation('o', { kind: 'transfer', steps, progress });
    assert.equal(progressText(copy), '12 MiB of 40 MiB, 8.1 MiB/s');
    assert.equal(percent(copy), 30);
  });

  it('counts the steps that are to come, and the part of the one under way', () => {
    const planned = [
      { name: 'image', title: 'Find the image', outcome: 'done' as const },
      { name: 'prepare', title: 'Prepare the image', outcome: 'running' as const },
      { name: 'container', title: 'Create the runtime', outcome: 'pending' as const },
      { name: 'start', title: 'Boot', outcome: 'pending' as const },
    ];
    const progress = { unit: 'bytes' as const, done: 20 * 2 ** 20, total: 40 * 2 ** 20 };
    const create = operation('o', { kind: 'workspace.create', steps: planned, progress });
    assert.equal(progressText(create), 'Prepare the image (2/4), 20 MiB of 40 MiB');
    assert.equal(percent(create), 37.5);
    assert.equal(percent(operation('o', { steps: planned })), 25);
  });

  it('names what goes on when all bytes are there, and does not stand at all of all', () => {
    const running = [{ name: 'prepare', title: 'Prepare the image', outcome: 'running' as const }];
    const progress = { unit: 'bytes' as const, done: 40, total: 40, current: 'saving the disk' };
    const create = operation('o', { kind: 'workspace.create', steps: running, progress });
    assert.equal(progressText(create), 'Prepare the image (1/1), saving the disk');
  });

  it('says nothing of what has no steps', () => {
    assert.equal(progressText(operation('o')), '');
  });
});
