import assert from 'node:assert/strict';
import { refuseNotMade } from '../../../../../src/backend/services/workspaces/filling';
import type { WorkspaceRecord } from '../../../../../src/backend/services/workspaces/record';

describe('services/workspaces/filling', () => {
  const record = (createdVolumes: string[]): WorkspaceRecord =>
    ({
      ...{ homeVolume: 'workspace-demo', dockerVolume: 'workspace-demo-docker', createdVolumes },
      forkedFrom: { volumes: [{ volume: 'demo-data', copyOf: 'data' }] },
    }) as unknown as WorkspaceRecord;
  const all = ['workspace-demo', 'workspace-demo-docker', 'demo-data'];

  it('writes over no volume that was not made with it, whichever it is and whatever it is made of', () => {
    for (const what of [undefined, 'import', 'restore'] as const) {
      refuseNotMade(record(all), { ...(what && { what }) });
      for (const foreign of all) {
        const others = all.filter((each) => each !== foreign);
        assert.throws(
          () => refuseNotMade(record(others), { ...(what && { what }) }),
          (error: Error & { code?: string; hint?: string }) =>
            error.code === 'exists' &&
            error.message.includes(`volume ${foreign} `) &&
            (error.hint ?? '').includes(what === undefined ? 'fork' : '--name'),
        );
      }
    }
  });
});
