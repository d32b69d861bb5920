/** An image layout in a cache that several engines share: each is a process of its own here. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { readFile, readdir, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { digestOf } from '../../../../../src/backend/images/oci/blobs';
import { mediaTypes } from '../../../../../src/backend/images/oci/documents';
import { Layout } from '../../../../../src/backend/images/oci/layout';
import { currentOwner } from '../../../../../src/backend/machine/lock-owner';
import { useTempFolder } from '../../../../support/temp';
import { until } from '../../../../support/wait';
import { times } from '../../../../support/soak';

const rounds = times(10, 25);
const signal = new AbortController().signal;
const shared = Buffer.alloc(200_000, 'a layer that all images have');

/** Puts an image there as a download does, and answers its descriptor. */
async function add(layout: Layout, name: string): Promise<void> {
  const release = await layout.hold();
  try {
    const part = { digest: digestOf(shared), size: shared.length };
    if (!(await layout.has(part))) {
      await layout.receive(Readable.from([shared]), part, { count: () => undefined, signal });
    }
    const config = await layout.put(Buffer.from(JSON.stringify({ name })));
    const layers = [{ mediaType: mediaTypes.layer, ...part }];
    const manifest = {
      ...{ schemaVersion: 2, mediaType: mediaTypes.manifest, layers },
      config: { mediaType: mediaTypes.config, ...config },
    };
    const { digest, size } = await layout.put(Buffer.from(JSON.stringify(manifest)));
    await layout.tag(name, { mediaType: mediaTypes.manifest, digest, size });
  } finally {
    release();
  }
}

/** What each engine does: adds images and removes most of them again. */
async function work(folder: string, who: string): Promise<void> {
  const layout = new Layout(folder);
  for (let round = 0; round < rounds; round += 1) {
    const name = `${who}-${round}`;
    await add(layout, name);
    assert.notEqual(await layout.find(name), undefined, name);
    if (round % 5 !== 0) {
      await layout.remove(name);
    }
  }
}

// Run as a program it is one of the engines.
if (process.env.BERTH_TEST_LAYOUT !== undefined) {
  work(process.env.BERTH_TEST_LAYOUT, String(process.pid)).then(
    () => process.exit(0),
    (error: unknown) => {
      console.error(error);
      process.exit(1);
    },
  );
} else {
  describe('an image layout that several engines share', function () {
    this.timeout(120_000);
    const temp = useTempFolder();
    const engine = (folder: string) =>
      spawn(process.execPath, [__filename], {
        env: { ...process.env, BERTH_TEST_LAYOUT: folder },
        stdio: ['ignore', 'ignore', 'inherit'],
      });

    it('loses no name and no blob that an image needs, and keeps none that nobody needs', async () => {
      const folder = join(temp(), 'oci');
      const engines = [engine(folder), engine(folder), engine(folder)];
      const ends = await Promise.all(engines.map((child) => once(child, 'exit')));
      assert.deepEqual(
        ends.map(([code]: unknown[]) => code),
        [0, 0, 0],
      );
      const layout = new Layout(folder);
      const { manifests } = await layout.index();
      assert.equal(manifests.length, engines.length * (rounds / 5));
      assert(await layout.has({ digest: digestOf(shared), size: shared.length }));
      for (const { digest, size } of manifests) {
        assert(await layout.has({ digest, size }));
      }
      await add(layout, 'last');
      await layout.remove('last');
      assert.equal((await readdir(join(folder, 'blobs', 'sha256'))).length, manifests.length * 2 + 1);
      const left = await readdir(folder);
      assert.deepEqual(left.sort(), ['blobs', 'index.json', 'oci-layout']);
    });

    it('is not held or locked for ever by engines that were killed', async () => {
      const folder = join(temp(), 'oci');
      const layout = new Layout(folder);
      await add(layout, 'one');
      for (let round = 0; round < 4; round += 1) {
        const killed = engine(folder);
        await until('it works', () => readdir(folder).then((names) => names.some(isLock)), 20_000, 1);
        killed.kill('SIGKILL');
        await once(killed, 'exit');
      }
      await writeFile(join(folder, 'hold-00000000-0000-0000-0000-000000000000.lock'), 'damaged');
      await add(layout, 'two');
      await layout.remove('two');
      assert.deepEqual((await readdir(folder)).filter(isLock), []);
      assert.notEqual(await layout.find('one'), undefined);
    });

    it('is held by an engine in a container, whose process is not to be seen, until that is silent', async () => {
      const layout = new Layout(join(temp(), 'oci'));
      await add(layout, 'one');
      const blob = join(layout.folder, 'blobs', 'sha256', digestOf(shared).slice('sha256:'.length));
      const hold = join(layout.folder, 'hold-00000000-0000-0000-0000-000000000000.lock');
      const owner = { ...currentOwner(), pid: 4_000_000, startTime: '1', pidNamespace: 'pid:[1]' };
      await writeFile(hold, JSON.stringify(owner));
      await layout.remove('one');
      assert(existsSync(blob));
      await utimes(hold, 0, 0);
      await add(layout, 'two');
      await layout.remove('two');
      assert(!existsSync(blob));
      assert(!existsSync(hold));
    });

    it('lets an image go, and removes no blob, while another one can not be read', async () => {
      const layout = new Layout(join(temp(), 'oci'));
      await add(layout, 'one');
      await add(layout, 'two');
      const damaged = (await layout.find('two'))!;
      const path = join(layout.folder, 'blobs', 'sha256', damaged.digest.slice('sha256:'.length));
      const whole = await readFile(path);
      await writeFile(path, whole.subarray(0, 10));
      assert.equal(await layout.remove('one'), true);
      assert.equal(await layout.find('one'), undefined);
      await writeFile(path, whole);
      await layout.remove('two');
      assert.deepEqual(await readdir(join(layout.folder, 'blobs', 'sha256')), []);
    });

    it('keeps blobs that somebody reads while their image is removed', async () => {
      const layout = new Layout(join(temp(), 'oci'));
      await add(layout, 'one');
      const blob = join(layout.folder, 'blobs', 'sha256', digestOf(shared).slice('sha256:'.length));
      const release = await layout.hold();
      await layout.remove('one');
      assert(existsSync(blob));
      release();
      await add(layout, 'two');
      await layout.remove('two');
      assert(!existsSync(blob));
    });
  });
}

const isLock = (name: string): boolean => name.endsWith('.lock');
