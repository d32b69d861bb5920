import assert from 'node:assert/strict';
import { homedir } from 'node:os';
import { absoluteImage, absoluteMount, localPath, parseCredential } from '../../../../src/cli/parse/sources';

describe('cli/parse/sources', () => {
  const mounts: [string, string][] = [
    ['cache:/cache', 'cache:/cache'],
    ['cache:/cache:ro', 'cache:/cache:ro'],
    ['./x.tar:/x:ro', '/cwd/x.tar:/x:ro'],
    ['x.tar.gz:/x', '/cwd/x.tar.gz:/x'],
    ['disk.ext4:/d:rw', '/cwd/disk.ext4:/d:rw'],
    ['/abs/x.img:/d', '/abs/x.img:/d'],
    ['../x.tgz:/d', '/x.tgz:/d'],
    ['src:/d', 'src:/d'],
    ['src/:/d', '/cwd/src:/d'],
    ['a:b.tar:/d', '/cwd/a:b.tar:/d'],
    ['~/x.tar:/d', `${homedir()}/x.tar:/d`],
  ];
  for (const [text, expected] of mounts) {
    it(`makes "${text}" absolute`, () => {
      assert.equal(absoluteMount(text, '/cwd'), expected);
    });
  }

  for (const [text, expected] of [
    ['debian:12', 'debian:12'],
    ['registry.example/a/b:1', 'registry.example/a/b:1'],
    ['./disk.ext4', '/cwd/disk.ext4'],
    ['../disk.ext4', '/disk.ext4'],
    ['/abs/disk.ext4', '/abs/disk.ext4'],
    ['~/disk.ext4', `${homedir()}/disk.ext4`],
    ['oci:./layout', 'oci:/cwd/layout'],
    ['oci:layout:1', 'oci:/cwd/layout:1'],
    ['oci:latest', 'oci:latest'],
    ['oci:5000/x:1', 'oci:5000/x:1'],
    ['oci:C:\\layout', 'oci:C:\\layout'],
    ['C:\\disk.ext4', 'C:\\disk.ext4'],
    ['docker-archive:~/x.tar', `docker-archive:${homedir()}/x.tar`],
  ] as const) {
    it(`takes the image "${text}" as it is meant`, () => {
      assert.equal(absoluteImage(text, '/cwd'), expected);
    });
  }

  it('leaves what can not be read to the engine', () => {
    for (const bad of ['', 'x', './x', './x:relative', ':/x', './x:/d:wrong']) {
      assert.equal(absoluteMount(bad, '/cwd'), bad);
    }
  });

  it('puts a credential at the same place below the home directory', () => {
    const at = (text: string) => parseCredential(text, '/me/work', '/me');
    assert.deepEqual(at('/me/.ssh/id'), { source: '/me/.ssh/id', target: '.ssh/id' });
    assert.deepEqual(at('~/.gitconfig'), { source: '/me/.gitconfig', target: '.gitconfig' });
    assert.deepEqual(at('token'), { source: '/me/work/token', target: 'work/token' });
    assert.deepEqual(at('/etc/token'), { source: '/etc/token', target: 'token' });
    assert.deepEqual(at('/etc/token:.config/t'), { source: '/etc/token', target: '.config/t' });
    assert.deepEqual(at('/etc/token:~/t'), { source: '/etc/token', target: 't' });
    assert.deepEqual(at('/etc/token:/run/t'), { source: '/etc/token', target: '/run/t' });
  });

  it('expands the home directory alone', () => {
    assert.equal(localPath('~', '/w', '/me'), '/me');
    assert.equal(localPath('a/../b', '/w', '/me'), '/w/b');
    assert.equal(localPath('~/a', '/w', '/me'), '/me/a');
    assert.equal(localPath('~you/a', '/w', '/me'), '/w/~you/a');
  });
});
