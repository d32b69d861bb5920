import assert from 'node:assert/strict';
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Leftovers } from '../../../../../../src/backend/drivers/microvms/runtimes/leftovers';
import { MicrovmFiles } from '../../../../../../src/backend/drivers/microvms/runtimes/runtime-files';
import { RuntimeStore } from '../../../../../../src/backend/drivers/microvms/runtimes/runtime-store';
import { useTempFolder } from '../../../../../support/temp';

const log = { debug() {}, info() {}, warn() {}, error() {} };

describe('what pauses of earlier versions left', () => {
  const folder = useTempFolder();

  it('is removed once, and nothing that is not ours', async () => {
    const store = new RuntimeStore(new MicrovmFiles(folder()), log);
    const put = (name: string, files: Record<string, string>): string => {
      const place = store.files.of(name).folder;
      mkdirSync(place, { recursive: true });
      Object.entries(files).forEach(([file, content]) => writeFileSync(join(place, file), content));
      return place;
    };
    const left = { 'machine.state.part': '', 'machine.state.old': 'QEVM and so on', 'machine.state': 'QEVM' };
    const ours = put('workspace-a', left);
    const theirs = put('workspace-b', {
      ...{ 'machine.state.part': 'notes', 'machine.state.old.bak': 'QEVM', 'my.old': 'QEVM' },
    });
    mkdirSync(join(theirs, 'machine.state.old'));
    const leftovers = new Leftovers(store, log);
    await leftovers.tidy('workspace-a');
    await leftovers.tidy('workspace-b');
    assert.deepEqual(readdirSync(ours), ['machine.state']);
    assert.deepEqual(readdirSync(theirs).sort(), [
      ...['machine.state.old', 'machine.state.old.bak', 'machine.state.part', 'my.old'],
    ]);
    put('workspace-a', left);
    await leftovers.tidy('workspace-a');
    assert.equal(readdirSync(ours).length, 3, 'once');
  });
});
