import assert from 'node:assert/strict';
import { standIn } from '../../../support/vscode/stand-in';
import * as vscode from 'vscode';
import { openVolumeAsFolder } from '../../../../src/commands/volume/openAsFolder';
import { placeWords } from '../../../../src/providers/files/place-words';
import {
  folderUri,
  isAllVolumes,
  nameOfFolder,
  olderUri,
  placeOf,
  plainUri,
  snapshotUri,
  volumeUri,
  type VolumePlace,
} from '../../../../src/providers/files/volume-uri';

const folderName = (place: VolumePlace) => nameOfFolder(place, placeWords);
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

  describe('of a folder that is opened under a name of its own', () => {
    const places = [
      { volume: 'data', path: '/src' },
      { volume: 'Their_Data', path: '/a b/%?#:/c' },
      { volume: 'rootfs@api', path: '/' },
      { volume: 'rootfs@api', path: '/etc' },
    ];
    const open = (...uris: vscode.Uri[]): void => {
      const workspaceFolders = uris.map((uri) => ({ uri }));
      Object.assign(vscode.workspace, { workspaceFolders });
    };
    afterEach(() => open());

    it('says of what it is', () => {
      assert.deepEqual(places.map(folderName), [
        'src (data)',
        'c (Their_Data)',
        'File System (api)',
        'etc (api)',
      ]);
      const first = places.map((place) => folderUri(place, folderName(place)).path);
      assert.deepEqual(first, ['/src (data)', '/c (Their_Data)', '/File System (api)', '/etc (api)']);
    });

    it('means its place, and what is below it, after it was kept as text', () => {
      for (const { volume, path } of places) {
        const root = folderUri({ volume, path }, folderName({ volume, path }));
        assert.deepEqual(parsed(root.toString()), { volume, path });
        const inner = vscode.Uri.joinPath(root, 'x %?#', 'y');
        const expected = `${path === '/' ? '' : path}/x %?#/y`;
        assert.deepEqual(parsed(inner.toString()), { volume, path: expected });
      }
    });

    it('means nothing for another path, as VS Code keeps the query of a folder for what is typed in its dialogs', () => {
      for (const query of ['data:/src', 'rootfs@api:/', 'data:/']) {
        const means = (path: string) => placeOf(vscode.Uri.from({ scheme: 'berth', path, query }));
        assert.deepEqual(means('/other/notes.txt'), { volume: 'other', path: '/notes.txt' });
        assert.deepEqual(means('/data/src/x'), { volume: 'data', path: '/src/x' });
        assert.ok(isAllVolumes(vscode.Uri.from({ scheme: 'berth', path: '/', query })), query);
        assert.deepEqual(means('/src (other)/x'), { volume: 'src (other)', path: '/x' });
      }
      const lib = vscode.Uri.from({ scheme: 'berth', path: '/lib (data)/x', query: 'data:/src' });
      assert.deepEqual(placeOf(lib), { volume: 'lib (data)', path: '/x' });
    });

    it('is what all below it goes by in its window, and nothing else does', () => {
      for (const { volume, path } of places) {
        const root = folderUri({ volume, path }, folderName({ volume, path }));
        open(vscode.Uri.file('/elsewhere'), plainUri('data', '/'), root);
        const inner = `${path === '/' ? '' : path}/x/y`;
        assert.equal(volumeUri(volume, path).toString(), root.toString());
        const found = volumeUri(volume, inner).toString();
        assert.equal(found, vscode.Uri.joinPath(root, 'x', 'y').toString());
        for (const [other, outside] of [
          ['other', inner],
          ...(path === '/' ? [] : [[volume, `${path}x`] as const, [volume, '/'] as const]),
        ] as const) {
          assert.equal(volumeUri(other, outside).query, '', `${other}:${outside}`);
        }
      }
    });

    it('is opened so in a window, and added to one by its plain place', async () => {
      const targets = {
        places: () => Promise.resolve([{ volume: 'rootfs@api', path: '/etc', isFolder: true }]),
      };
      const run = openVolumeAsFolder({ targets } as unknown as Parameters<typeof openVolumeAsFolder>[0]);
      standIn.reset();
      standIn.chosen = (items) => items.find(({ label }) => label === 'Open in this window');
      await run({}, []);
      assert.deepEqual(
        standIn.executed.map(([command, uri]) => [command, String(uri)]),
        [['vscode.openFolder', folderUri({ volume: 'rootfs@api', path: '/etc' }, 'etc (api)').toString()]],
      );
      const added: unknown[] = [];
      open(vscode.Uri.file('/elsewhere'));
      Object.assign(vscode.workspace, {
        updateWorkspaceFolders: (...[, , folder]: unknown[]) => added.push(folder),
      });
      standIn.chosen = (items) => items.find(({ label }) => label === 'Add to this window');
      await run({}, []);
      assert.deepEqual(added, [{ uri: plainUri('rootfs@api', '/etc'), name: 'etc (api)' }]);
    });
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
