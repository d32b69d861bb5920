import assert from 'node:assert/strict';
import {
  parseMount,
  parseMounts,
} from '../../../../../../src/backend/services/workspaces/start/mount-syntax';
import { failure } from '../../../../../support/errors';

/** How sources are classified. */
const accepted: [string, ReturnType<typeof parseMount>['kind'], string, string, boolean][] = [
  ['data:/data', 'volume', 'data', '/data', false],
  ['data:/data:ro', 'volume', 'data', '/data', true],
  ['data:/data:rw', 'volume', 'data', '/data', false],
  ['a:/a', 'volume', 'a', '/a', false],
  ['My_Volume.1:/data', 'volume', 'My_Volume.1', '/data', false],
  ['sandkasten-ws-user1:/data', 'volume', 'sandkasten-ws-user1', '/data', false],
  ['/path/ctx.tar:/ctx:ro', 'archive', '/path/ctx.tar', '/ctx', true],
  ['/path/ctx.tar.gz:/ctx', 'archive', '/path/ctx.tar.gz', '/ctx', false],
  ['/path/ctx.TGZ:/ctx', 'archive', '/path/ctx.TGZ', '/ctx', false],
  ['/path/with:colon.tar:/ctx', 'archive', '/path/with:colon.tar', '/ctx', false],
  ['C:\\Users\\me\\ctx.tar:/ctx:ro', 'archive', 'C:\\Users\\me\\ctx.tar', '/ctx', true],
  ['C:/Users/me/disk.img:/mnt/disk', 'disk', 'C:/Users/me/disk.img', '/mnt/disk', false],
  ['/disks/d.ext4:/d', 'disk', '/disks/d.ext4', '/d', false],
  ['data:/data/', 'volume', 'data', '/data', false],
  ['data:/a//b/./c', 'volume', 'data', '/a/b/c', false],
  ['data:/home/workspace/cache', 'volume', 'data', '/home/workspace/cache', false],
  ['data:/with space', 'volume', 'data', '/with space', false],
];

const refused: [string, RegExp | string][] = [
  ['', 'volume must be SRC:DST[:ro|rw]'],
  ['data', 'volume must be SRC:DST[:ro|rw]'],
  [':/data', 'volume source path is required'],
  [':/data:ro', 'volume source path is required'],
  ['data:/data:', 'volume mode must be ro or rw'],
  ['data:/data:RO', 'volume mode must be ro or rw'],
  ['data:/data:ro,z', 'volume mode must be ro or rw'],
  ['data:data', 'volume destination must be an absolute guest path'],
  ['data:data:ro', 'volume destination must be an absolute guest path'],
  ['data:', 'volume destination must be an absolute guest path'],
  ['data:/a/../etc', 'volume destination must be an absolute guest path'],
  ['/home/me/src:/src', /^unsupported volume source "\/home\/me\/src".*host directories/],
  ['./src:/src', /^unsupported volume source/],
  ['../src:/src', /^unsupported volume source/],
  ['C:\\Users\\me:/src', /^unsupported volume source/],
  ['.:/src', /^unsupported volume source/],
  ['./ctx.tar:/ctx', 'volume source "./ctx.tar" must be an absolute path'],
  ['ctx.tgz:/ctx', 'volume source "ctx.tgz" must be an absolute path'],
  ['disks/d.img:/d', 'volume source "disks/d.img" must be an absolute path'],
  ['-data:/data', /^invalid volume name "-data": use lowercase letters, digits, and hyphens/],
  ['da ta:/data', /^invalid volume name/],
  ['data:/', 'volume destination / is taken by Berth'],
  ['data:///', 'volume destination / is taken by Berth'],
  ['data:/home/workspace', 'volume destination /home/workspace is taken by Berth'],
  ['data:/home//workspace/', 'volume destination /home/workspace is taken by Berth'],
  ['data:/workspace', 'volume destination /workspace is taken by Berth'],
  ['data:/home', 'volume destination /home is taken by Berth'],
  ['data:/.berth', 'volume destination /.berth is taken by Berth'],
  ['data:/.berth/bin', 'volume destination /.berth/bin is taken by Berth'],
  ['data:/proc/1', 'volume destination /proc/1 is taken by Berth'],
  ['data:/dev/./shm', 'volume destination /dev/shm is taken by Berth'],
];

describe('services/workspaces/start/mount-syntax', () => {
  for (const [text, kind, source, target, readOnly] of accepted) {
    it(`takes ${text} as ${kind}`, () => {
      assert.deepEqual(parseMount(text), { kind, source, target, readOnly });
    });
  }

  for (const [text, message] of refused) {
    it(`refuses "${text}"`, async () => {
      const error = await failure(() => parseMount(text, 'volumes.3'), 'bad_request');
      assert.match(error.message, typeof message === 'string' ? literally(message) : message);
      assert.equal(error.field, 'volumes.3');
    });
  }

  it('says how to get a host directory in', async () => {
    const error = await failure(() => parseMount('/home/me/src:/src'));
    assert.match(error.hint ?? '', /tar archive.*berth cp/);
  });

  it('refuses names that the kind of runtime does not take, before it is asked', async () => {
    const names: [string, boolean, boolean][] = [
      ['data', true, true],
      ['a', false, true],
      ['1', false, true],
      ['ab', true, true],
      ['My_Volume.1', true, false],
      ['a-', true, false],
      ['a'.repeat(64), true, false],
      ['a'.repeat(256), false, false],
    ];
    for (const [name, container, microvm] of names) {
      for (const [runtime, isTaken] of [['container', container] as const, ['microvm', microvm] as const]) {
        const parse = () => parseMounts(['first:/first', `${name}:/data`], runtime);
        if (isTaken) {
          assert.equal(parse()[1]?.source, name);
        } else {
          const { field, message } = await failure(parse, 'bad_request');
          assert.equal(field, 'volumes.1', `${name}, ${runtime}`);
          assert.match(message, /^invalid volume name/);
        }
      }
    }
  });

  it('takes many, naming the one at fault', async () => {
    assert.deepEqual(
      parseMounts(['a:/a', 'b:/b:ro'], 'microvm').map((mount) => mount.target),
      ['/a', '/b'],
    );
    assert.equal((await failure(() => parseMounts(['aa:/a', 'b'], 'container'))).field, 'volumes.1');
    const twice = await failure(() => parseMounts(['aa:/a', 'bb:/b', 'cc:/a/'], 'container'), 'bad_request');
    assert.equal(twice.field, 'volumes.2');
    assert.match(twice.message, /two volumes are to be mounted at \/a/);
  });
});

function literally(text: string): RegExp {
  return new RegExp(`^${text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')}$`);
}
