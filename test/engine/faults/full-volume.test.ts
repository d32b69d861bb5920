/** A volume without room: a small disk, or an ordinary Docker volume on a tmpfs of a few MB. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { failure } from '../../support/errors';
import { itLeavesNothing, useEngineHarness } from '../../support/engine/engine-harness';
import { column, testTimeoutMs } from '../../support/runtimes/columns';

const room = 4_000_000;

describe('faults: a full volume', function () {
  this.timeout(testTimeoutMs);
  const harness = useEngineHarness();
  let name: string;
  let volume: string;

  /** A tmpfs lives as long as something has it mounted: here, the workspace. */
  before(async () => {
    volume = `${harness().prefix}-small`;
    await (column === 'microvm' ? harness().makeVolume(volume, Math.ceil(room / 1024 / 1024)) : makeTmpfs());
    ({ name } = await harness().create({ volumes: [`${volume}:/small`] }));
    await harness().sh(name, 'echo old >/small/file');
  });
  const makeTmpfs = () =>
    harness().docker.createVolume({
      Name: volume,
      DriverOpts: { type: 'tmpfs', device: 'tmpfs', o: `size=${room},uid=1000,gid=1000` },
    });
  const names = async () => {
    const list = await harness().client.call('files.list', { params: { volume }, query: { path: '/' } });
    return list.entries.map((entry) => entry.name).filter((entry) => entry !== 'lost+found');
  };

  it('says no_space for a file that does not fit, keeping the old one', async () => {
    const big = randomBytes(room + 1_000_000);
    const write = harness().client.writeFile(volume, '/file', big, { create: true, overwrite: true });
    const error = await failure(write, 'no_space');
    assert.match(error.hint ?? '', /space/i);
    assert.equal((await harness().client.readFile(volume, '/file')).toString(), 'old\n');
    assert.deepEqual(await names(), ['file']);
  });

  it('says the same of an upload, which leaves nothing half-written', async () => {
    const folder = join(harness().folder, 'big');
    await writeFile(folder, randomBytes(room + 1_000_000));
    const operation = await harness().client.call('transfers.create', {
      body: { from: { local: [folder] }, to: { volume, path: '/' } },
    });
    await failure(harness().done(operation), 'no_space');
    assert.deepEqual(await names(), ['file']);
    await harness().client.writeFile(volume, '/fits', Buffer.from('x'), { create: true, overwrite: false });
    assert.deepEqual(await names(), ['file', 'fits']);
  });

  it('can be deleted when its workspace is gone', async () => {
    const deletion = () =>
      harness().client.call('volumes.delete', { params: { volume }, query: { force: true } });
    await failure(deletion(), 'in_use');
    await harness().delete(name);
    assert.deepEqual(await deletion(), { deleted: true });
  });

  itLeavesNothing(harness);
});
