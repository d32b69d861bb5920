/** What can't be compared must not come out as the same. */
import assert from 'node:assert/strict';
import type { CompareEvent } from '../../../../../../src/api/files/compare';
import type { Inventory, InventoryRow } from '../../../../../../src/backend/files/inventory';
import type { VolumeFiles } from '../../../../../../src/backend/files/volume-files';
import { Comparison } from '../../../../../../src/backend/services/volumes/compare/compare';
import { FakeFiles } from '../../../../../support/fakes/fake-files';

const row = (name: string, mode = 0o100644): InventoryRow => ({
  ...{ name, mode, uid: 0, gid: 0, size: 1, device: 0, mtimeMs: 0 },
  ...{ mark: undefined, digest: undefined },
});
const root = row('', 0o040755);
const rows = Array.from({ length: 600 }, (_, at) => row(`f${String(at).padStart(4, '0')}`));

/** Waits after its first folder, so that a batch fails in the meantime. */
class SlowFiles extends FakeFiles {
  override inventory(): Promise<Inventory> {
    const folders = async function* (): ReturnType<Inventory['folders']> {
      yield { parts: [], own: root, rows };
      await new Promise((resolve) => setTimeout(resolve, 50));
      yield { parts: ['later'], own: root, rows: [] };
    };
    return Promise.resolve({ root, path: '/', folders, close: () => Promise.resolve() });
  }
}

class FailingOnce extends SlowFiles {
  private hasFailed = false;

  override details(files: readonly { path: string }[]): ReturnType<VolumeFiles['details']> {
    if (!this.hasFailed) {
      this.hasFailed = true;
      return Promise.reject(new Error('the agent is gone'));
    }
    return super.details(files);
  }
}

describe('a comparison whose answers fail', () => {
  it('fails with the first failure, and says no end', async () => {
    const events: CompareEvent[] = [];
    const compared = {
      before: { files: new SlowFiles('a'), path: '/' },
      after: { files: new FailingOnce('b'), path: '/' },
      isOneVolume: false,
    };
    const report = (event: CompareEvent): Promise<void> => Promise.resolve(void events.push(event));
    const run = new Comparison(compared, report, new AbortController().signal).run();
    await assert.rejects(run, /the agent is gone/);
    assert.equal(
      events.some((event) => 'end' in event),
      false,
    );
  });
});
