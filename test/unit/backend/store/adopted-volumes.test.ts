import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { AdoptedVolumes } from '../../../../src/backend/store/adopted-volumes';
import { failure } from '../../../support/errors';
import { useTempFolder } from '../../../support/temp';

describe('store/adopted-volumes', () => {
  const folder = useTempFolder();
  const path = () => join(folder(), 'adopted.json');
  const theirs = { name: 'data', installation: 'they', id: 'nonce' };

  it('knows a volume by all that it was made with, over a start of the engine', async () => {
    const first = new AdoptedVolumes(path());
    await first.load();
    await Promise.all([first.add(theirs), first.add({ name: 'of-a-tool' })]);
    const second = new AdoptedVolumes(path());
    await second.load();
    assert(second.has(theirs) && second.has({ name: 'of-a-tool' }));
    for (const other of [{ installation: 'others' }, { id: 'another' }, { name: 'other' }]) {
      assert(!second.has({ ...theirs, ...other }));
    }
    assert(!second.has({ name: 'data' }));
    await second.add({ ...theirs, id: 'another' });
    assert(!second.has(theirs), 'there is one volume of a name');
    await second.forget('data');
    await second.forget('never');
    const third = new AdoptedVolumes(path());
    await third.load();
    assert(!third.has({ ...theirs, id: 'another' }) && third.has({ name: 'of-a-tool' }));
  });

  it('leaves the list of a newer Berth alone', async () => {
    const newer = '{"schemaVersion":99,"volumes":"?"}';
    await writeFile(path(), newer);
    await failure(new AdoptedVolumes(path()).load(), 'forbidden');
    await failure(new AdoptedVolumes(path()).add(theirs), 'forbidden');
    assert.equal(await readFile(path(), 'utf8'), newer);
  });
});
