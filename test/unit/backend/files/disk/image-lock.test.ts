import assert from 'node:assert/strict';
import { open, stat } from 'node:fs/promises';
import { readFileSync } from 'node:fs';
import { deviceOfMount, holdsLock } from '../../../../../src/backend/files/disk/image-lock';

/** As on Fedora: `/home` is a subvolume of btrfs, whose files stat(2) says to be on another device. */
const mounts = `23 1 0:26 /root / rw,relatime shared:1 - btrfs /dev/vda3 rw,subvol=/root
41 23 0:26 /home /home rw,relatime shared:30 - btrfs /dev/vda3 rw,subvol=/home
410 23 254:1 / /boot rw,relatime shared:31 - ext4 /dev/vda1 rw
`;
const locks = `1: POSIX  ADVISORY  WRITE 612 00:1a:258 0 EOF
2: OFDLCK ADVISORY  READ  -1 00:1a:4711 100 101
3: FLOCK  ADVISORY  WRITE 800 fe:01:12 0 EOF
`;
const about = (id: number): string => `pos:\t0\nflags:\t0100000\nmnt_id:\t${id}\nino:\t4711\n`;

describe('the locks of images', () => {
  it('are looked for on the device of the file system, not on that of its subvolume', () => {
    assert.equal(deviceOfMount(about(41), mounts), '0:26');
    assert.equal(deviceOfMount(about(410), mounts), '254:1');
    assert.equal(deviceOfMount(about(4), mounts), undefined);
    assert.equal(deviceOfMount('', mounts), undefined);
  });

  it('are those of that very file', () => {
    assert.equal(holdsLock(locks, { device: '0:26', inode: 4711n }), true);
    assert.equal(holdsLock(locks, { device: '0:26', inode: 471n }), false);
    assert.equal(holdsLock(locks, { device: '0:27', inode: 4711n }), false);
    assert.equal(holdsLock(locks, { device: '254:1', inode: 12n }), true);
  });

  it('are on the device that stat says, where there are no subvolumes', async () => {
    const file = await open('/proc/self/status');
    const { dev } = await stat('/proc/self/status');
    const found = deviceOfMount(
      readFileSync(`/proc/self/fdinfo/${file.fd}`, 'utf8'),
      readFileSync('/proc/self/mountinfo', 'utf8'),
    );
    await file.close();
    assert.equal(found, `${(dev >> 8) & 0xfff}:${dev & 0xff}`);
  });
});
