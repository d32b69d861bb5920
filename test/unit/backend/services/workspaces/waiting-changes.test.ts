import assert from 'node:assert/strict';
import { withWaiting } from '../../../../../src/backend/services/workspaces/waiting-changes';

describe('services/workspaces/waiting-changes', () => {
  it('names limits as people do, not as the API does', () => {
    const waiting = { needsRebuild: ['shmMiB', 'pids'], needsRestart: ['cpus', 'memoryMiB'] };
    assert.deepEqual(
      withWaiting([], 'api', 'limits', waiting).map(({ message }) => message),
      [
        'Takes effect with the next rebuild: shared memory, processes.',
        'Takes effect with the next start: CPUs, memory.',
      ],
    );
    const ports = withWaiting([], 'api', 'ports', { needsRebuild: ['ports'] });
    assert.deepEqual(
      ports.map(({ message }) => message),
      ['Takes effect with the next rebuild: ports.'],
    );
  });
});
