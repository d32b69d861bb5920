import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { link, mkdir, open, readFile, symlink, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { UserImages } from '../../../../../../src/backend/drivers/microvms/disks/user-images';
import { failure } from '../../../../../support/errors';
import { useTempFolder } from '../../../../../support/temp';

describe('disk images of the user', () => {
  const home = useTempFolder();
  const running = new Set<string>();
  let image: string;
  let images: UserImages;
  const another = () =>
    new UserImages({
      volumes: join(home(), 'volumes'),
      holders: { isGone: (runtime) => Promise.resolve(!running.has(runtime)) },
    });
  const holder = (name: string, readOnly = false) => ({
    workspace: name,
    runtime: `workspace-${name}`,
    readOnly,
  });
  beforeEach(async () => {
    running.clear();
    await mkdir(join(home(), 'volumes'));
    image = join(home(), 'own disk.img');
    execFileSync('mke2fs', ['-q', '-t', 'ext4', image, '8M']);
    images = another();
  });

  it('have one holder while that runs, by whatever path they are named, also for the next engine', async () => {
    assert.equal(await images.attach(image, holder('one')), image);
    running.add('workspace-one');
    await link(image, join(home(), 'hard.img'));
    await symlink(image, join(home(), 'soft.img'));
    for (const path of [image, join(home(), 'hard.img'), join(home(), 'soft.img')]) {
      for (const store of [images, another()]) {
        const error = await failure(store.attach(path, holder('two', true)), 'in_use');
        assert.match(error.message, /attached to workspace one/);
        assert.equal(error.field, 'mounts');
        await failure(store.check(path, holder('two')), 'in_use');
      }
    }
    assert.equal(await images.attach(image, holder('one')), image);
  });

  it('are taken from a holder that provably does not run, and let go of', async () => {
    await images.attach(image, holder('one'));
    await images.attach(image, holder('two'));
    running.add('workspace-two');
    await failure(images.attach(image, holder('one')), 'in_use');
    await images.release('workspace-two');
    await images.attach(image, holder('one'));
  });

  it('stay with one that can not be asked', async () => {
    const unsure = new UserImages({
      volumes: join(home(), 'volumes'),
      holders: { isGone: () => Promise.reject(new Error('no answer')) },
    });
    await unsure.attach(image, holder('one'));
    await failure(unsure.attach(image, holder('two')), 'in_use');
  });

  it('go to one of two who ask at once', async () => {
    running.add('workspace-one').add('workspace-two');
    const asked = [images.attach(image, holder('one')), images.attach(image, holder('two'))];
    const outcomes = await Promise.allSettled(asked);
    assert.deepEqual(outcomes.map(({ status }) => status).sort(), ['fulfilled', 'rejected']);
  });

  it('are refused with the reason when no guest could mount them', async () => {
    await failure(images.attach(join(home(), 'none.img'), holder('one')), 'not_found');
    const text = join(home(), 'text.img');
    await writeFile(text, 'short');
    assert.match(
      (await failure(images.attach(text, holder('one')), 'bad_request')).message,
      /no ext4 file system/,
    );
    await truncate(text, 1 << 20);
    await failure(images.attach(text, holder('one')), 'bad_request');
  });

  it('are mounted read-only only when nothing is to be replayed, and never written to by us', async () => {
    const file = await open(image, 'r+');
    const word = Buffer.alloc(4);
    await file.read(word, 0, 4, 1024 + 0x60);
    word.writeUInt32LE(word.readUInt32LE() | 4);
    await file.write(word, 0, 4, 1024 + 0x60);
    await file.close();
    const before = await readFile(image);
    assert.match(
      (await failure(images.attach(image, holder('one', true)), 'illegal_state')).hint ?? '',
      /:ro/,
    );
    await images.attach(image, holder('one'));
    await images.release('workspace-one');
    assert((await readFile(image)).equals(before));
  });

  it('are not the disks of named volumes, which a path would lead around', async () => {
    const path = join(home(), 'volumes', 'data.ext4');
    execFileSync('mke2fs', ['-q', '-t', 'ext4', path, '8M']);
    await symlink(path, join(home(), 'elsewhere.ext4'));
    for (const name of [path, join(home(), 'elsewhere.ext4')]) {
      assert.match(
        (await failure(images.attach(name, holder('one')), 'bad_request')).hint ?? '',
        /name of the volume/,
      );
    }
  });
});
