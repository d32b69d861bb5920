/** Files go up, down and across over the API, whether the workspace runs or not. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { chmod, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { TransferCreate } from '../../../src/api/files/schemas';
import { failure } from '../../support/errors';
import { eventually, itLeavesNothing, useEngineHarness } from '../../support/engine/engine-harness';
import { succeed } from '../../support/programs';
import { testTimeoutMs } from '../../support/runtimes/columns';

describe('files: over the API', function () {
  this.timeout(testTimeoutMs);
  const harness = useEngineHarness();
  let name: string;
  let volume: string;
  let tree: string;

  before(async () => {
    ({ name, homeVolume: volume } = await harness().create());
    tree = join(harness().folder, 'tree');
    await mkdir(join(tree, 'deep', 'er'), { recursive: true });
    for (let index = 0; index < 300; index += 1) {
      await writeFile(join(tree, 'deep', `file ${index}`), `content ${index}`);
    }
    await writeFile(join(tree, 'deep', 'er', 'large'), randomBytes(5_000_000));
    await writeFile(join(tree, 'run'), '#!/bin/sh\n');
    await chmod(join(tree, 'run'), 0o755);
  });

  const transfer = async (body: TransferCreate) =>
    harness().done(await harness().client.call('transfers.create', { body }));
  const names = async (path = '/') => {
    const { entries } = await harness().client.call('files.list', { params: { volume }, query: { path } });
    return entries.map((entry) => entry.name);
  };

  for (const state of ['running', 'stopped'] as const) {
    const target = `/${state}`;

    it(`${state}: a tree goes up and comes back byte for byte, with its modes`, async () => {
      if (state === 'stopped') {
        await harness().verb('stop', name);
      }
      await harness().client.call('files.mkdir', { params: { volume }, body: { path: target } });
      await transfer({ from: { local: [tree] }, to: { volume, path: target } });
      const back = join(harness().folder, `back-${state}`);
      await mkdir(back);
      await transfer({ from: { volume, paths: [`${target}/tree`] }, to: { local: back } });
      await succeed('diff', ['-r', tree, join(back, 'tree')]);
      const { entries } = await harness().client.call('files.list', {
        params: { volume },
        query: { path: `${target}/tree` },
      });
      const run = entries.find((entry) => entry.name === 'run');
      assert.deepEqual([run?.mode, run?.uid, run?.gid], [0o755, 1000, 1000]);
    });

    it(`${state}: an upload that is cancelled leaves nothing`, async () => {
      const large = join(harness().folder, 'large');
      await writeFile(large, Buffer.alloc(120_000_000, 1));
      const operation = await harness().client.call('transfers.create', {
        body: { from: { local: [large] }, to: { volume, path: target } },
      });
      const { id } = operation;
      await eventually('it has begun', async () => {
        const { progress, status } = await harness().client.call('operations.get', { params: { id } });
        return status !== 'running' || (progress?.done ?? 0) > 0;
      });
      await harness().client.call('operations.cancel', { params: { id } });
      const isWhole = await harness()
        .done(operation)
        .then(
          () => true,
          () => false,
        );
      await eventually('all drafts are gone', async () => {
        const left = await names(target);
        return left.join() === (isWhole ? 'large,tree' : 'tree');
      });
    });

    it(`${state}: is told when there is no such file, or one too many`, async () => {
      await failure(harness().client.readFile(volume, `${target}/none`), 'path_not_found');
      const write = harness().client.writeFile(volume, `${target}/tree/run`, Buffer.from('x'), {
        create: true,
        overwrite: false,
      });
      await failure(write, 'path_exists');
    });

    it(`${state}: is renamed, copied and removed`, async () => {
      const at = (path: string) => `${target}/${path}`;
      const { client } = harness();
      const params = { volume };
      await client.call('files.rename', { params, body: { from: at('tree/run'), to: at('moved') } });
      await client.call('files.copy', { params, body: { from: at('tree/deep'), to: at('copied') } });
      assert.equal((await client.readFile(volume, at('copied/file 7'))).toString(), 'content 7');
      await client.call('files.remove', { params, body: { path: at('tree'), recursive: true } });
      const left = await names(target);
      assert.deepEqual(left.filter((entry) => entry !== 'large').sort(), ['copied', 'moved']);
    });
  }

  it('goes from one volume to another', async () => {
    const other = await harness().makeVolume(`${harness().prefix}-other`);
    await transfer({ from: { volume, paths: ['/stopped/copied'] }, to: { volume: other, path: '/' } });
    await harness().verb('start', name);
    await transfer({ from: { volume, paths: ['/running/moved'] }, to: { volume: other, path: '/copied' } });
    assert.equal((await harness().client.readFile(other, '/copied/file 8')).toString(), 'content 8');
    assert.equal((await harness().client.readFile(other, '/copied/moved')).toString(), '#!/bin/sh\n');
    await harness().client.call('volumes.delete', { params: { volume: other } });
  });

  it('is seen inside at once, and the other way round', async () => {
    assert.equal(await harness().sh(name, 'cat ~/stopped/moved'), '#!/bin/sh');
    await harness().sh(name, 'echo inside >~/stopped/made');
    assert.equal((await harness().client.readFile(volume, '/stopped/made')).toString(), 'inside\n');
  });

  itLeavesNothing(harness);
});
