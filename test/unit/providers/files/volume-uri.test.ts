import assert from 'node:assert/strict';
import '../../../support/vscode/stand-in';
import * as vscode from 'vscode';
import {
  isAllVolumes,
  olderUri,
  placeOf,
  snapshotUri,
  volumeUri,
} from '../../../../src/providers/files/volume-uri';

const parsed = (text: string) => placeOf(vscode.Uri.parse(text));

describe('providers/files/volume-uri', () => {
  it('has the volume as first name of the path, as VS Code names folders and tabs by it', () => {
    assert.equal(volumeUri('data', '/src/main.py').toString(), 'berth:/data/src/main.py');
    assert.equal(volumeUri('data', '/').toString(), 'berth:/data');
    assert.equal(volumeUri('Their_Data', '/').path, '/Their_Data');
  });

  it('means the same place after it was kept as text', () => {
    for (const [volume, path] of [
      ['data', '/'],
      ['Their_Data', '/A/b'],
      ['rootfs@api', '/etc/hosts'],
      ['data', '/with space & % # ?.txt'],
      ['data', '/two\nlines'],
      ['data', '//odd'],
    ] as const) {
      assert.deepEqual(parsed(volumeUri(volume, path).toString()), { volume, path });
    }
    assert.deepEqual(parsed('berth:/data/'), { volume: 'data', path: '/' });
  });

  it('names a snapshot by its volume and its own name, and finds it by its id', () => {
    const uri = snapshotUri('0123456789ab', 'data', 'before-upgrade');
    assert.equal(uri.path, '/data@before-upgrade');
    const files = { volume: 'snapshot@0123456789ab' };
    for (const name of ['before-upgrade', '2026-11-28 14:05', 'a/b %?#']) {
      const root = snapshotUri('0123456789ab', 'data', name);
      assert.deepEqual(parsed(root.toString()), { ...files, path: '/' });
      const below = vscode.Uri.joinPath(root, 'src', 'main.py');
      assert.deepEqual(parsed(below.toString()), { ...files, path: '/src/main.py' });
    }
    assert.deepEqual(parsed('berth:/snapshot@0123456789ab/a'), { ...files, path: '/a' });
    // The id of no volume's place, nor of what is no snapshot.
    assert.deepEqual(parsed('berth:/data/a?0123456789ab'), { volume: 'data', path: '/a' });
    assert.deepEqual(parsed('berth:/rootfs@api/a?x'), { volume: 'rootfs@api', path: '/a' });
  });

  it('takes the older ones too', () => {
    assert.equal(olderUri('data', '/src').toString(), 'berth://data/src');
    assert.deepEqual(parsed('berth://data/src'), { volume: 'data', path: '/src' });
    assert.deepEqual(parsed('berth://data'), { volume: 'data', path: '/' });
    assert.deepEqual(parsed('berth://data/'), { volume: 'data', path: '/' });
  });

  it('knows the folder of all volumes', () => {
    const isAll = (text: string) => isAllVolumes(vscode.Uri.parse(text));
    assert.deepEqual(['berth:/', 'berth:/data', 'berth://data', 'berth://data/'].map(isAll), [
      true,
      false,
      false,
      false,
    ]);
  });
});
