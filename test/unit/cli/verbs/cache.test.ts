import assert from 'node:assert/strict';
import type { Cache } from '../../../../src/api';
import type { Caches } from '../../../../src/backend/drivers/driver';
import { useCli, type TestCli } from '../../../support/engine/cli-engine';

const mebibyte = 1024 ** 2;

describe('cli: cache', () => {
  const { start } = useCli();
  let test: TestCli;
  let cleaned: string[];
  beforeEach(async () => {
    test = await start();
    cleaned = [];
    const full: Cache = {
      ...{ id: 'templates', path: '/state/templates', count: 2 },
      ...{ bytes: 300 * mebibyte, freeableBytes: 300 * mebibyte },
    };
    const inUse: Cache = {
      ...{ id: 'guest-kits', path: '/state/guest', count: 1 },
      ...{ bytes: 80 * mebibyte, freeableBytes: 0 },
    };
    const caches: Caches = {
      list: () => Promise.resolve(cleaned.length === 0 ? [inUse, full] : [inUse]),
      clean: (ids) => {
        cleaned.push(...ids);
        return Promise.resolve(300 * mebibyte);
      },
    };
    Object.assign(test.driver, { caches });
  });

  it('lists what there is, and what of it nothing uses', async () => {
    const { stdout } = await test.berth(['cache', 'list']);
    assert.match(stdout, /guest-kits +kernels of microVMs +1 +80 MiB +0 B +\/state\/guest/);
    assert.match(stdout, /templates +booted microVMs to start from +2 +300 MiB +300 MiB/);
    const json = await test.berth(['cache', 'list', '--json']);
    assert.equal((JSON.parse(json.stdout) as Cache[]).length, 2);
  });

  it('removes what is not in use, and names it before', async () => {
    const refused = await test.berth(['cache', 'clean']);
    assert.match(
      refused.stderr,
      /booted microVMs to start from \(300 MiB\).*made again when they are needed/,
    );
    assert.deepEqual(cleaned, []);
    const { stdout } = await test.berth(['cache', 'clean', '--yes']);
    assert.equal(stdout, '300 MiB are free again.\n');
    assert.deepEqual(cleaned, ['templates']);
    assert.match((await test.berth(['cache', 'clean', '--yes'])).stdout, /^There is nothing to remove/);
  });
});
