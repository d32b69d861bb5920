import assert from 'node:assert/strict';
import { chmod, mkdir, readdir, stat, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { draftOf } from '../../../../src/backend/machine/drafts';
import { isErrno, readIfPresent, removeTree } from '../../../../src/backend/machine/files';
import { StateDirectory } from '../../../../src/backend/store/state-directory';
import { useTempFolder } from '../../../support/temp';

describe('machine/files', () => {
  const folder = useTempFolder();

  it('answers undefined for a missing file, and other errors as they are', async () => {
    assert.equal(await readIfPresent(join(folder(), 'no')), undefined);
    await assert.rejects(readIfPresent(folder()), (error) => isErrno(error, 'ENOTDIR', 'EISDIR'));
    assert.equal(isErrno(new Error('x'), 'ENOENT'), false);
    assert.equal(isErrno('ENOENT', 'ENOENT'), false);
  });

  it('removes trees, missing ones too', async () => {
    await mkdir(join(folder(), 'a/b'), { recursive: true });
    await writeFile(join(folder(), 'a/b/c'), 'x');
    await removeTree(join(folder(), 'a'));
    await removeTree(join(folder(), 'a'));
    assert.deepEqual(await readdir(folder()), []);
  });

  it('removes trees with folders that their owner may not change, and nothing that links in them lead to', async () => {
    await mkdir(join(folder(), 'kept'), { mode: 0o500 });
    await mkdir(join(folder(), 'a/closed/below'), { recursive: true });
    await writeFile(join(folder(), 'a/closed/below/file'), 'x');
    await symlink(join(folder(), 'kept'), join(folder(), 'a/closed/link'));
    await chmod(join(folder(), 'a/closed/below'), 0);
    await chmod(join(folder(), 'a/closed'), 0o555);
    await removeTree(join(folder(), 'a'));
    assert.deepEqual(await readdir(folder()), ['kept']);
    assert.equal((await stat(join(folder(), 'kept'))).mode & 0o777, 0o500);
  });
});

describe('store/state-directory', () => {
  const folder = useTempFolder();

  it('makes every folder, for its owner alone, again and again', async () => {
    const state = new StateDirectory(join(folder(), 'deep/home'));
    await state.ensure();
    await state.ensure();
    for (const path of [
      state.home,
      state.workspaces,
      state.keys,
      state.hostKeys,
      state.ssh,
      state.operations,
    ]) {
      assert.equal((await stat(path)).mode & 0o777, 0o700, path);
    }
    assert.equal(state.workspaceRecord('demo'), join(state.home, 'workspaces/demo/workspace.json'));
  });

  it('closes a home that was open to others', async () => {
    const home = join(folder(), 'home');
    await mkdir(home);
    await chmod(home, 0o755);
    await new StateDirectory(home).ensure();
    assert.equal((await stat(home)).mode & 0o777, 0o700);
  });

  it('sweeps what a killed engine left half written, and nothing else', async () => {
    const state = new StateDirectory(folder());
    await state.ensure();
    await mkdir(state.workspace('demo'));
    await mkdir(state.volumes);
    const drafts = [
      ...[state.workspaceRecord('demo'), join(state.operations, 'x.json'), state.secrets, state.sshConfig],
      ...[join(state.hostKeys, 'demo'), join(state.volumes, 'data.ext4'), state.settings, state.lock],
    ].map(draftOf);
    const others = [
      state.workspaceRecord('demo'),
      `${state.workspaceRecord('demo')}.v1`,
      `${state.workspaceRecord('demo')}.damaged-1700000000000`,
      state.sshConfig,
      ...['workspace.json.1', 'workspace.json.3271940214'].map((name) => join(state.workspace('demo'), name)),
      ...['data.ext4.20261126', '.berth-draft-notes', 'x.key.1'].map((name) => join(state.volumes, name)),
      `${state.installation}.20261126`,
      `${state.sshConfig}.4`,
      join(state.home, 'engine.log.1'),
      state.lock,
    ];
    await Promise.all([...drafts, ...others].map((path) => writeFile(path, '')));
    await state.sweep();
    assert.deepEqual(
      await Promise.all(drafts.map(readIfPresent)),
      drafts.map(() => undefined),
    );
    assert.deepEqual(
      await Promise.all(others.map(readIfPresent)),
      others.map(() => ''),
    );
  });
});
