import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { mkdir, readFile, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { once } from 'node:events';
import { join } from 'node:path';
import fastify from 'fastify';
import { openLog } from '../../../src/backend/engine-log';
import { installationId } from '../../../src/backend/installation';
import { listen } from '../../../src/backend/listen';
import { imagesDirectory } from '../../../src/backend/resources';
import { StateDirectory } from '../../../src/backend/store/state-directory';
import { failure } from '../../support/errors';
import { useTempFolder } from '../../support/temp';

describe('backend: the process', () => {
  const folder = useTempFolder();

  it('has an id of its own for each state directory, kept', async () => {
    const state = new StateDirectory(folder());
    await state.ensure();
    const id = await installationId(state);
    assert.match(id, /^[0-9a-f-]{36}$/);
    assert.equal(await installationId(state), id);
    const other = new StateDirectory(join(folder(), 'other'));
    await other.ensure();
    assert.notEqual(await installationId(other), id);
  });

  it("keeps its id when the record is damaged or lost: what it made would be a stranger's", async () => {
    const state = new StateDirectory(folder());
    await state.ensure();
    const id = await installationId(state);
    for (const path of [state.installation, state.installationCopy]) {
      await writeFile(path, '{');
      assert.equal(await installationId(state), id);
      await rm(path);
      assert.equal(await installationId(state), id);
    }
  });

  it('refuses an id that a newer Berth wrote, or that can not be read, and leaves it untouched', async () => {
    const state = new StateDirectory(folder());
    await state.ensure();
    await installationId(state);
    const newer = '{"schemaVersion":2,"id":"x"}';
    await writeFile(state.installation, newer);
    const error = await failure(installationId(state), 'forbidden');
    assert.match(error.message, /installation\.json is left untouched: A newer Berth wrote it/);
    assert.equal(await readFile(state.installation, 'utf8'), newer);
    await rm(state.installation);
    await mkdir(state.installation);
    assert.match((await failure(installationId(state), 'forbidden')).message, /can't be read/);
    assert.deepEqual(await readdir(state.installation), []);
  });

  it('listens privately, over the socket of a dead one, in a folder of its own', async () => {
    const path = join(folder(), 'deep/engine.sock');
    await mkdir(join(folder(), 'deep'), { mode: 0o700 });
    const dead = createServer().listen(path);
    await once(dead, 'listening');
    const server = fastify();
    await listen(server, path);
    assert.equal((await stat(path)).mode & 0o777, 0o600);
    await server.close();
    dead.close();
    const fresh = fastify();
    await listen(fresh, join(folder(), 'new/engine.sock'));
    assert.equal((await stat(join(folder(), 'new'))).mode & 0o777, 0o700);
    await fresh.close();
  });

  it('logs JSON lines, without secrets, privately, until closed', async () => {
    const path = join(folder(), 'engine.log');
    const engineLog = await openLog(path, 'info');
    engineLog.log.info(
      { plan: { privateKey: 'SECRET', name: 'demo' }, call: { authorization: 'SECRET' } },
      'hello',
    );
    engineLog.log.debug({}, 'not this');
    await engineLog.close();
    const text = await readFile(path, 'utf8');
    const line = JSON.parse(text) as { msg: string; plan: { name: string } };
    assert.equal(line.msg, 'hello');
    assert.equal(line.plan.name, 'demo');
    assert(!text.includes('SECRET'));
    assert.equal((await stat(path)).mode & 0o777, 0o600);
  });

  it('keeps few logs, however much is said', async function () {
    this.timeout(20_000);
    const engineLog = await openLog(join(folder(), 'engine.log'), 'info');
    const filler = 'x'.repeat(100_000);
    for (let count = 0; count < 350; count += 1) {
      engineLog.log.info({ filler }, 'much');
      if (count % 20 === 0) {
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
    }
    await engineLog.close();
    const sizes = await Promise.all(
      (await readdir(folder())).map(async (name) => (await stat(join(folder(), name))).size),
    );
    assert(sizes.length > 1, 'it was rotated');
    assert(sizes.length <= 6, `${sizes.length} files`);
  });

  it('finds what is shipped beside it, and says so when it is not there', () => {
    assert(existsSync(join(imagesDirectory(), 'Dockerfile')));
    assert.throws(() => imagesDirectory('/nowhere/at/all'), /"images" was not found above \/nowhere/);
  });
});
