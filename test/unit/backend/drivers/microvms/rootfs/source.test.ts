import assert from 'node:assert/strict';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pack } from 'tar-stream';
import type { PullProgress } from '../../../../../../src/backend/images/pull-progress';
import { engineSource } from '../../../../../../src/backend/drivers/microvms/rootfs/source';
import { useTempFolder } from '../../../../../support/temp';

describe('drivers/microvms/rootfs/source', function () {
  this.timeout(60_000);
  const folder = useTempFolder();

  it('counts what is read, then what is written, and names what comes after all bytes', async () => {
    const sizeBytes = 3 * 50_000;
    const exporter = {
      find: () => Promise.resolve(undefined),
      config: () =>
        Promise.resolve({
          config: { env: [], user: '', workdir: '', entrypoint: [], cmd: [] },
          sizeBytes,
        }),
      exportFiles: () => {
        const tar = pack();
        for (const name of ['a', 'b', 'c']) {
          tar.entry({ name: `${name}/`, type: 'directory' });
          tar.entry({ name: `${name}/file` }, name.repeat(50_000));
        }
        tar.finalize();
        return Promise.resolve(Readable.from(tar as AsyncIterable<Uint8Array>));
      },
    };
    const seen: PullProgress[] = [];
    const source = engineSource(exporter, 'x:1', `sha256:${'0'.repeat(64)}`);
    await source.make(join(folder(), 'root.ext4'), {
      progress: (now) => seen.push(now),
      signal: new AbortController().signal,
    });
    const read = seen.filter(({ current }) => current === 'x:1');
    assert.ok(read.length > 0);
    const written = seen.slice(read.length);
    const filling = written.filter(({ current }) => current === 'filling the disk');
    assert.deepEqual(new Set(filling.map(({ done }) => done)), new Set([0, 50_000, 100_000]));
    assert.ok(filling.every(({ done, total }) => done < total));
    assert.deepEqual(written.at(-1), { done: sizeBytes, total: sizeBytes, current: 'saving the disk' });
  });
});
