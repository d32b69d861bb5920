import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ProtectedVolumes } from '../../../../src/backend/store/protected-volumes';
import { failure } from '../../../support/errors';
import { useTempFolder } from '../../../support/temp';
import { volume } from '../../providers/fixtures';

describe('store/protected-volumes', () => {
  const folder = useTempFolder();
  const path = () => join(folder(), 'protected-volumes.json');

  it('knows them over a start of the engine, and leaves nothing behind', async () => {
    const first = new ProtectedVolumes(path());
    await first.load();
    await Promise.all([first.set('data', true), first.set('cache', true), first.set('data', true)]);
    const second = new ProtectedVolumes(path());
    await second.load();
    assert.equal(second.shown(volume('data')).protected, true);
    assert.deepEqual(second.shown(volume('other')), volume('other'));
    await failure(() => second.refuse('cache'), 'illegal_state');
    second.refuse('other');
    await second.set('never', false);
    await Promise.all([second.set('data', false), second.set('cache', false)]);
    assert.equal(existsSync(path()), false);
  });

  it('does not count what can not be written, and leaves the list of a newer Berth alone', async () => {
    const newer = '{"schemaVersion":99,"volumes":"?"}';
    await writeFile(path(), newer);
    await failure(new ProtectedVolumes(path()).load(), 'forbidden');
    const blind = new ProtectedVolumes(path());
    await failure(blind.set('data', true), 'forbidden');
    blind.refuse('data');
    assert.equal(await readFile(path(), 'utf8'), newer);
  });
});
