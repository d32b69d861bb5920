/** The kit of a paused machine, when that of the cache is gone. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { copySparse } from '../../../../../../src/backend/machine/copies';
import { KeptKits, withKit } from '../../../../../../src/backend/drivers/microvms/kit/kept-kits';
import { MicrovmFiles } from '../../../../../../src/backend/drivers/microvms/runtimes/runtime-files';
import type {
  Launch,
  RuntimeRecord,
} from '../../../../../../src/backend/drivers/microvms/runtimes/runtime-record';
import { RuntimeStore } from '../../../../../../src/backend/drivers/microvms/runtimes/runtime-store';
import { skipWithout } from '../../../../../support/skip';
import { mountSmallDisk, unmount } from '../../../../../support/files/small-disk';
import { useTempFolder } from '../../../../../support/temp';

const name = 'workspace-w';
const log = { debug() {}, info() {}, warn() {}, error() {} };
const contents = ['vmlinuz', 'initrd', 'tools.ext4'];
const mebibyte = 1024 * 1024;

describe('the guest kit of a paused microVM', () => {
  const folder = useTempFolder();
  let store: RuntimeStore;
  let kept: KeptKits;
  /** On another disk than the state directory. */
  let elsewhere: string;
  const own = () => join(store.files.of(name).folder, 'guest-kit');
  const makeKit = (cache: string, word: string): string => {
    const kit = join(cache, word);
    mkdirSync(kit, { recursive: true });
    writeFileSync(join(kit, 'vmlinuz'), word);
    writeFileSync(join(kit, 'initrd'), word);
    writeFileSync(join(kit, 'tools.ext4'), word);
    // With a hole in it.
    truncateSync(join(kit, 'tools.ext4'), 4 * mebibyte);
    const hash = createHash('sha256');
    contents.forEach((file) => hash.update(readFileSync(join(kit, file))));
    const about = { recipe: 'r', kernel: '6', hash: hash.digest('hex'), kernelArguments: [], builtAt: 'now' };
    writeFileSync(join(kit, 'kit.json'), JSON.stringify(about));
    return kit;
  };
  const hashOf = (kit: string) =>
    (JSON.parse(readFileSync(join(kit, 'kit.json'), 'utf8')) as { hash: string }).hash;
  const startedWith = async (kit: string): Promise<RuntimeRecord> => {
    const launch: Launch = {
      ...{ acceleration: 'tcg', build: 'b', kit: hashOf(kit), kernelArguments: [], cpus: 1, memoryMiB: 64 },
      ...{ kernel: join(kit, 'vmlinuz'), initrd: join(kit, 'initrd') },
      disks: [{ serial: 'tools', file: join(kit, 'tools.ext4'), format: 'raw', readOnly: true }],
    };
    return store.write({
      id: '00000000-0000-4000-8000-000000000000',
      plan: {
        ...{ name, workspace: 'w', image: 'i', env: {}, limits: {}, docker: false, network: 'on' },
        ...{ homeVolume: 'v', mounts: [], sshPort: 1 },
      },
      ...{ imageId: 'sha256:0', env: {}, createdAt: '2026-01-01T00:00:00.000Z', launch },
    });
  };

  beforeEach(() => {
    const isInMemory = statSync(folder()).dev === statSync('/dev/shm').dev;
    elsewhere = mkdtempSync(join(isInMemory ? '/tmp' : '/dev/shm', 'berth-kits-'));
    store = new RuntimeStore(new MicrovmFiles(folder()), log);
    kept = new KeptKits(store, log);
  });
  afterEach(() => rmSync(elsewhere, { recursive: true }));

  it('has names of its own from the start on, which take no room, and goes with it', async () => {
    const kit = makeKit(join(folder(), 'guest'), 'one');
    const record = await startedWith(kit);
    await kept.link(record);
    assert.equal(statSync(join(own(), 'tools.ext4')).ino, statSync(join(kit, 'tools.ext4')).ino);
    assert.equal(await kept.detailOf(record), undefined);
    assert.equal(await kept.find(record), kit);
    await kept.dropCopy(record);
    assert.equal(existsSync(own()), true, 'links stay for the next pause');
    rmSync(kit, { recursive: true });
    assert.equal(await kept.find(record), own());
    assert.match((await kept.detailOf(record)) ?? '', /^Its kernel \(1 MiB\) is kept/);
    await kept.dropCopy(record);
    assert.equal(existsSync(own()), true, 'nobody else has it');
    await store.remove(name);
    assert.equal(existsSync(own()), false);
  });

  it('is the one it was started with, when another one is in its place', async () => {
    const kit = makeKit(join(folder(), 'guest'), 'one');
    const record = await startedWith(kit);
    await kept.link(record);
    rmSync(kit, { recursive: true });
    const other = makeKit(join(folder(), 'guest'), 'two');
    assert.equal(await kept.find(record), own());
    const again = await startedWith(other);
    await kept.link(again);
    assert.equal(readFileSync(join(own(), 'vmlinuz'), 'utf8'), 'two');
    assert.equal(await kept.find(record), undefined);
  });

  it('is copied from another disk when it is paused alone, and said, with its holes', async () => {
    const kit = makeKit(elsewhere, 'one');
    const record = await startedWith(kit);
    await kept.link(record);
    assert.equal(existsSync(own()), false);
    await kept.ensure(record);
    const { size, blocks } = statSync(join(own(), 'tools.ext4'));
    assert.equal(size, 4 * mebibyte);
    assert(blocks * 512 < mebibyte * 1.5, `${blocks} blocks`);
    assert.match((await kept.detailOf(record)) ?? '', /is kept/);
    await kept.dropCopy(record);
    assert.equal(existsSync(own()), false, 'the kit is where it was');
    await kept.ensure(record);
    rmSync(kit, { recursive: true });
    await kept.dropCopy(record);
    assert.equal(await kept.find(record), own());
  });

  it('is not copied in part where room runs out (mounts a tmpfs: needs root)', async function () {
    const disk = join(folder(), 'small');
    if (!mountSmallDisk(disk, '64k')) {
      skipWithout(this, 'a small disk is mounted by root alone');
    }
    try {
      const whole = join(folder(), 'whole');
      // In one piece, which the disk takes the beginning of.
      writeFileSync(whole, Buffer.alloc(100_000, 'x'));
      await assert.rejects(copySparse(whole, join(disk, 'part')), { code: 'ENOSPC' });
    } finally {
      unmount(disk);
    }
  });

  it('is none when a file of it is damaged', async () => {
    const kit = makeKit(elsewhere, 'three');
    const record = await startedWith(kit);
    await kept.ensure(record);
    rmSync(kit, { recursive: true });
    truncateSync(join(own(), 'initrd'), 1);
    assert.equal(await kept.find(record), undefined);
    // Nothing to take another from.
    await kept.ensure(record);
    assert.equal(existsSync(own()), false);
  });

  it('is what QEMU is started with', async () => {
    const { launch } = await startedWith(makeKit(join(folder(), 'guest'), 'one'));
    assert(launch);
    const { kernel, initrd, disks } = withKit(launch, '/own');
    assert.deepEqual([kernel, initrd, disks[0]?.file], ['/own/vmlinuz', '/own/initrd', '/own/tools.ext4']);
  });
});
