import assert from 'node:assert/strict';
import { changesOf, countOwn } from '../../../../../../src/backend/drivers/containers/replacement/own-files';

const count = (paths: string[], mounted: string[] = []): number =>
  countOwn(
    paths.map((path) => ({ Path: path })),
    mounted,
  );

describe('drivers/containers/replacement/own-files', () => {
  it('counts nothing of a fresh workspace: that is all from Berth and the engine', () => {
    const fresh = ['/run', '/run/sshd', '/run/berth', '/workspace', '/.berth', '/etc', '/etc/passwd'];
    assert.equal(count([...fresh, '/etc/sudoers.d', '/etc/sudoers.d/workspace', '/tmp', '/tmp/.berth/x']), 0);
    assert.equal(count([]), 0);
  });

  it('takes whatever an engine says of a container that changed nothing', () => {
    for (const nothing of ['null\n', null, undefined, '', []]) assert.deepEqual(changesOf(nothing), []);
    assert.deepEqual(changesOf([{ Path: '/opt', Kind: 1 }]), [{ Path: '/opt', Kind: 1 }]);
  });

  it('counts files and empty folders, not the folders that lead to them', () => {
    assert.equal(
      count(['/opt', '/opt/a', '/opt/a/file', '/opt/empty', '/etc', '/etc/mine', '/usr/bin/x']),
      4,
    );
  });

  it('counts what was deleted or changed, and names that only begin alike', () => {
    assert.equal(count(['/etc', '/etc/motd', '/etc/passwd2', '/running']), 3);
  });

  it('counts nothing of where volumes are mounted', () => {
    assert.equal(count(['/data', '/srv', '/srv/deep', '/srv/deep/x', '/opt'], ['/data', '/srv/deep']), 1);
  });
});
