import assert from 'node:assert/strict';
import '../../../support/vscode/stand-in';
import * as vscode from 'vscode';
import { isAllVolumes, olderUri, placeOf, volumeUri } from '../../../../src/providers/files/volume-uri';

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
