import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SmallEngine } from '../../../../support/engine/small-engine';
import { hasCode, TestVolume } from '../../files/agent/harness';

describe('where the paths of a workspace are', function () {
  this.timeout(60_000);
  let volumes: Record<'home' | 'data' | 'nest' | 'rootfs@w', TestVolume>;
  let records: string;
  let engine: SmallEngine;

  before(async () => {
    volumes = {
      home: await TestVolume.create('home'),
      data: await TestVolume.create('data'),
      nest: await TestVolume.create('nest'),
      'rootfs@w': await TestVolume.create('rootfs@w'),
    };
    records = mkdtempSync(join(tmpdir(), 'berth-records-'));
    const { home, data } = volumes;
    const root = volumes['rootfs@w'];
    mkdirSync(join(home.root, 'dir'));
    mkdirSync(join(data.root, 'in'));
    mkdirSync(join(root.root, 'opt'));
    mkdirSync(join(root.root, 'run'));
    mkdirSync(join(root.root, 'var'));
    symlinkSync('/run', join(root.root, 'var', 'run'));
    writeFileSync(join(data.root, 'in', 'file'), 'x');
    symlinkSync('/data/in', join(home.root, 'absolute'));
    symlinkSync('../../../data/./in', join(home.root, 'dir', 'climbs'));
    symlinkSync('climbs/file', join(home.root, 'dir', 'twice'));
    symlinkSync('/home/workspace/dir', join(data.root, 'back'));
    symlinkSync('/opt/none', join(home.root, 'dangling'));
    symlinkSync('loop', join(home.root, 'loop'));
    symlinkSync('/data', join(root.root, 'opt', 'to-data'));
    engine = new SmallEngine({ w: 'home' }, volumes, records, [
      { source: 'data', target: '/data', readOnly: true },
      { source: 'nest', target: '/home/workspace/dir/nest/' },
      { source: 'nest', target: '/var/run/nest', readOnly: true },
      { source: 'data', target: '/var/run/nest/data' },
    ]);
  });
  after(async () => {
    await Promise.all(Object.values(volumes).map((volume) => volume.dispose()));
    rmSync(records, { recursive: true });
  });

  const cases: [path: string, follow: boolean, volume: string, inVolume: string][] = [
    ['x', false, 'home', '/x'],
    ['.', true, 'home', '/'],
    ['~/x', false, 'home', '/x'],
    ['~x', false, 'home', '/~x'],
    ['/home/workspace/x', false, 'home', '/x'],
    ['/workspace/x', false, 'home', '/x'],
    ['/workspaces/x', false, 'rootfs@w', '/workspaces/x'],
    ['/x', false, 'rootfs@w', '/x'],
    ['/', true, 'rootfs@w', '/'],
    ['/home', true, 'rootfs@w', '/home'],
    ['../../data/in//file', false, 'data', '/in/file'],
    ['/../data', true, 'data', '/'],
    ['/data2', false, 'rootfs@w', '/data2'],
    ['dir/nest/a/b', false, 'nest', '/a/b'],
    ['absolute', false, 'home', '/absolute'],
    ['absolute', true, 'data', '/in'],
    ['absolute/file', false, 'data', '/in/file'],
    ['absolute/..', true, 'data', '/'],
    ['dir/climbs/file', false, 'data', '/in/file'],
    ['dir/twice', true, 'data', '/in/file'],
    ['/data/back/nest/x', false, 'nest', '/x'],
    ['/opt/to-data/in', false, 'data', '/in'],
    ['dangling', true, 'rootfs@w', '/opt/none'],
    ['none/of/these', false, 'home', '/none/of/these'],
    ['/.berth/bin', false, 'rootfs@w', '/.berth/bin'],
    ['/run/nest/x', false, 'nest', '/x'],
    ['/var/run/nest/x', false, 'nest', '/x'],
    ['/run/nest/data/in', false, 'data', '/in'],
    ['/var/run/other', false, 'rootfs@w', '/run/other'],
  ];
  for (const [path, follow, volume, inVolume] of cases) {
    it(`finds ${path}${follow ? ', followed' : ''}`, async () => {
      const found = await engine.locations.locate('w', path, { follow });
      assert.deepEqual([found.volume, found.path], [volume, inVolume]);
    });
  }

  it('says what is read-only, and what is mounted below', async () => {
    const { readOnly, inside } = await engine.locations.locate('w', 'absolute', { follow: true });
    assert.deepEqual([readOnly, inside], [true, '/data/in']);
    assert.deepEqual((await engine.locations.locate('w', '', { follow: true })).mounts, [
      { path: 'dir/nest', volume: 'nest' },
    ]);
    assert.equal((await engine.locations.locate('w', '/', { follow: true })).mounts.length, 7);
    const below = await engine.locations.locate('w', '/run', { follow: true });
    assert.deepEqual(below.mounts.map(({ path }) => path).sort(), ['nest', 'nest/data']);
    assert.equal((await engine.locations.locate('w', '/run/nest/x', { follow: true })).readOnly, true);
  });

  it('refuses a link to itself, and what is no path', async () => {
    await assert.rejects(engine.locations.locate('w', 'loop', { follow: true }), hasCode('path_not_found'));
    await assert.rejects(engine.locations.locate('w', 'a\0b', { follow: true }), hasCode('bad_request'));
  });

  it('goes up from folders only: what is mistyped leads to nothing else', async () => {
    for (const path of ['none/../dir', 'dangling/../dir', '/opt/none/../to-data']) {
      await assert.rejects(engine.locations.locate('w', path, { follow: false }), hasCode('path_not_found'));
    }
    const beside = engine.locations.locate('w', 'absolute/file/../x', { follow: false });
    await assert.rejects(beside, hasCode('not_a_directory'));
    const { path } = await engine.locations.locate('w', 'dir/nest/../../dir/climbs/../in', { follow: false });
    assert.equal(path, '/in');
  });
});
