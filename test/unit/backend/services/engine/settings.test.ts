import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Settings } from '../../../../../src/backend/services/engine/settings';
import { failure } from '../../../../support/errors';
import { useTempFolder } from '../../../../support/temp';

describe('services/engine/settings', () => {
  const folder = useTempFolder();
  const path = () => join(folder(), 'settings.json');
  const load = async () => {
    const settings = new Settings(path());
    await settings.load();
    return settings;
  };

  it('has defaults, and needs no file', async () => {
    const settings = await load();
    assert.deepEqual(settings.get(), {});
    assert.deepEqual(settings.portRange, { first: 2200, last: 2400 });
    assert.deepEqual(settings.defaults, { runtime: 'container', image: 'workspace:latest', idle: {} });
  });

  it('keeps what was changed, one setting beside the other', async () => {
    const settings = await load();
    await Promise.all([
      settings.change({ defaultImage: 'debian:12' }),
      settings.change({ idle: { stopAfter: 30 } }),
      settings.change({ portRange: { first: 3000, last: 3001 } }),
    ]);
    const again = await load();
    assert.deepEqual(again.get(), settings.get());
    assert.deepEqual(again.portRange, { first: 3000, last: 3001 });
    assert.deepEqual(again.defaults, { runtime: 'container', image: 'debian:12', idle: { stopAfter: 30 } });
  });

  it('takes back what is null, also of what could not be named otherwise', async () => {
    const settings = await load();
    const { portRange } = await settings.change({ portRange: { first: 3000, last: 3001 }, dockerHost: '' });
    await settings.change({ defaultImage: 'debian:12', defaultRuntime: 'container', idle: { stopAfter: 9 } });
    await settings.change({ defaultImage: null, dockerHost: null, idle: null, hostLoopback: null });
    assert.deepEqual(settings.get(), { portRange, defaultRuntime: 'container' });
    await settings.change({ portRange: null, defaultRuntime: null });
    assert.deepEqual((await load()).get(), {});
  });

  it('refuses a range that is upside down, and changes nothing', async () => {
    const settings = await load();
    const error = await failure(settings.change({ portRange: { first: 3001, last: 3000 } }), 'bad_request');
    assert.equal(error.field, 'portRange');
    assert.deepEqual(settings.get(), {});
  });

  it('is as before when it can not be written', async () => {
    const settings = new Settings(join(folder(), 'missing/settings.json'));
    await settings.load();
    await assert.rejects(settings.change({ defaultImage: 'x' }));
    assert.deepEqual(settings.get(), {});
  });

  it('sets a damaged file aside, says so, and starts with defaults', async () => {
    await writeFile(path(), '{"schemaVersion":1,"portRange":{"first":1}}');
    const settings = await load();
    assert.match(settings.setAside[0] ?? '', /settings\.json.*portRange/);
    await settings.change({ defaultImage: 'x' });
    assert.equal((await load()).defaults.image, 'x');
  });

  it('leaves the file of a newer Berth untouched', async () => {
    const content = '{"schemaVersion":9,"theme":"new"}';
    await writeFile(path(), content);
    const settings = await load();
    assert.equal(settings.setAside.length, 1);
    const error = await failure(settings.change({ defaultImage: 'x' }), 'forbidden');
    assert.match(error.message, /newer Berth/);
    assert.equal(await readFile(path(), 'utf8'), content);
  });
});
