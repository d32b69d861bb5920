/** What the word `image` may name, and what is said when there is nothing there. */
import assert from 'node:assert/strict';
import { mkdir, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { buildExt4 } from '../../../../../../src/backend/files/disk/filling/build';
import { mediaTypes } from '../../../../../../src/backend/images/oci/documents';
import { ownArchitecture } from '../../../../../../src/backend/images/oci/image';
import { parseReference } from '../../../../../../src/backend/drivers/microvms/rootfs/reference';
import { imageOf, LayoutMaker, savedOf, sha256, tarOf } from '../../../../../support/images';
import { succeed } from '../../../../../support/programs';
import { useTempFolder } from '../../../../../support/temp';
import { checkClean, namesIn, never, silent, storeIn } from './store';

const refName = 'org.opencontainers.image.ref.name';

describe('rootfs/reference', () => {
  for (const [image, expected] of [
    ['debian:12', { kind: 'name', name: 'debian:12' }],
    ['oci:/a/b', { kind: 'oci', path: '/a/b', name: undefined }],
    ['oci:/a/b:1.0', { kind: 'oci', path: '/a/b', name: '1.0' }],
    ['oci:/a/b:host:5000/x:1', { kind: 'oci', path: '/a/b', name: 'host:5000/x:1' }],
    ['docker-archive:/a.tar', { kind: 'docker-archive', path: '/a.tar', name: undefined }],
    [
      'docker-archive:/a.tar:r.example:5000/x',
      { kind: 'docker-archive', path: '/a.tar', name: 'r.example:5000/x' },
    ],
    ['/a/disk.ext4', { kind: 'disk', path: '/a/disk.ext4' }],
    ['oci:latest', { kind: 'name', name: 'oci:latest' }],
    ['oci:1.0', { kind: 'name', name: 'oci:1.0' }],
    ['oci:5000/x', { kind: 'name', name: 'oci:5000/x' }],
    ['oci:5000/x/y:1', { kind: 'name', name: 'oci:5000/x/y:1' }],
    ['oci', { kind: 'name', name: 'oci' }],
    ['docker-archive:5000/x', { kind: 'name', name: 'docker-archive:5000/x' }],
    [`oci:1@sha256:${'0'.repeat(64)}`, { kind: 'name', name: `oci:1@sha256:${'0'.repeat(64)}` }],
  ] as const) {
    it(`reads ${image}`, () => assert.deepEqual(parseReference(image), expected));
  }

  it('refuses what is relative', () => {
    for (const image of [
      'oci:./layout',
      'oci:layout/x',
      'oci:layout:1',
      'oci:~/x',
      'oci:',
      'oci:5000/X',
      'oci:a b',
    ]) {
      assert.throws(() => parseReference(image), { code: 'bad_request', field: 'image' }, image);
    }
  });
});

describe('rootfs of what is named', function () {
  this.timeout(60_000);
  const temp = useTempFolder();
  const one = imageOf([[{ name: 'one' }]]);
  const two = imageOf([[{ name: 'two' }]]);
  const ensure = (image: string) => storeIn(temp()).ensure(image, silent, never);
  const names = async (image: string) => namesIn((await ensure(image)).path, '/');
  const rejects = (image: string, expected: object) => assert.rejects(ensure(image), expected);

  describe('a layout', () => {
    const tagged = () =>
      new LayoutMaker()
        .add(one, { annotations: { [refName]: '1' } })
        .add(two, { annotations: { [refName]: 'registry.example/x:2' } });

    it('is found by its name, whole or the tag alone', async () => {
      const layout = await tagged().write(join(temp(), 'l'));
      assert.deepEqual(await names(`oci:${layout}:1`), ['one']);
      assert.deepEqual(await names(`oci:${layout}:2`), ['two']);
      assert.deepEqual(await names(`oci:${layout}:registry.example/x:2`), ['two']);
      await rejects(`oci:${layout}`, { code: 'image_missing', message: /1, registry\.example\/x:2/ });
      await rejects(`oci:${layout}:3`, { code: 'image_missing' });
    });

    it('may be a tar', async () => {
      const file = join(temp(), 'layout.tar');
      await writeFile(file, tarOf(tagged().members));
      assert.deepEqual(await names(`oci:${file}:1`), ['one']);
      await writeFile(file, tarOf([{ name: 'else' }]));
      await rejects(`oci:${file}`, { code: 'bad_request', message: /not an OCI image layout/ });
    });

    it('has the image of this platform, also below an index', async () => {
      const own = { os: 'linux', architecture: ownArchitecture() };
      const maker = new LayoutMaker();
      const manifests = [
        maker.manifest(imageOf([[{ name: 'other' }]], { architecture: 's390x' }), {
          platform: { os: 'linux', architecture: 's390x' },
        }),
        maker.manifest(one, { platform: own }),
        maker.manifest(two, { platform: { os: 'unknown', architecture: 'unknown' } }),
      ];
      const index = maker.blob(Buffer.from(JSON.stringify({ schemaVersion: 2, manifests })));
      maker.manifests.push({ mediaType: mediaTypes.index, ...index });
      assert.deepEqual(await names(`oci:${await maker.write(join(temp(), 'nested'))}`), ['one']);
      maker.manifests.splice(0, 1, manifests[0]!);
      const foreign = await maker.write(join(temp(), 'foreign'));
      await rejects(`oci:${foreign}`, { code: 'not_supported' });
    });

    it('is refused when a blob is missing, changed, longer, or leads out', async () => {
      const layout = await new LayoutMaker().add(one, { pack: (tar) => tar }).write(join(temp(), 'l'));
      const layer = join(layout, 'blobs', 'sha256', sha256(one.layers[0]!).slice(7));
      await writeFile(layer, tarOf([{ name: 'bad' }]));
      await rejects(`oci:${layout}`, { code: 'bad_request', message: /has the digest sha256:/ });
      await writeFile(layer, tarOf([{ name: 'one' }, { name: 'more' }]));
      await rejects(`oci:${layout}`, { code: 'bad_request', message: /longer/ });
      await succeed('rm', [layer]);
      await rejects(`oci:${layout}`, { code: 'not_found', message: /it is incomplete/ });
      await symlink('/dev/zero', layer);
      await rejects(`oci:${layout}`, { code: 'not_found' });
      await mkdir(join(temp(), 'empty'));
      await rejects(`oci:${join(temp(), 'empty')}`, { code: 'image_missing' });
      await rejects('oci:/nowhere/at/all', { code: 'image_missing' });
    });

    it('is refused when its documents are none', async () => {
      const layout = await new LayoutMaker().add(one).write(join(temp(), 'l'));
      for (const text of ['{', '[]', '{"schemaVersion":2,"manifests":[{"digest":"sha256:../../x"}]}']) {
        await writeFile(join(layout, 'index.json'), text);
        await rejects(`oci:${layout}`, { code: 'bad_request' });
      }
      const maker = new LayoutMaker();
      const self = {
        mediaType: mediaTypes.index,
        ...maker.blob(Buffer.from('{"schemaVersion":2,"manifests":[]}')),
      };
      maker.manifests.push(self);
      await rejects(`oci:${await maker.write(join(temp(), 'no'))}`, { code: 'not_supported' });
      maker.manifests.splice(0, 1, { ...self, size: 2 ** 40 });
      await rejects(`oci:${await maker.write(join(temp(), 'big'))}`, { code: 'too_large' });
    });
  });

  describe('an archive of docker save', () => {
    const file = () => join(temp(), 'saved.tar');
    const both = [
      { image: one, tags: ['demo:1', 'demo:latest'] },
      { image: two, tags: ['host:5000/demo:2'] },
    ];

    it('is found by its name', async () => {
      await writeFile(file(), savedOf(both));
      assert.deepEqual(await names(`docker-archive:${file()}:demo`), ['one']);
      assert.deepEqual(await names(`docker-archive:${file()}:host:5000/demo:2`), ['two']);
      assert.equal((await ensure(`docker-archive:${file()}:demo:1`)).digest, one.id);
      await rejects(`docker-archive:${file()}`, { code: 'image_missing', message: /demo:1/ });
      await writeFile(file(), savedOf([{ image: two, tags: null }]));
      assert.deepEqual(await names(`docker-archive:${file()}`), ['two']);
    });

    it('follows links to other members only', async () => {
      const [tar] = one.layers;
      const manifest = [{ Config: 'c.json', RepoTags: null, Layers: ['a/layer.tar'] }];
      const base = [
        { name: 'c.json', content: one.config },
        { name: 'manifest.json', content: JSON.stringify(manifest) },
      ];
      const to = (linkName: string) => ({ name: 'a/layer.tar', type: 'symlink' as const, linkName });
      await writeFile(file(), tarOf([...base, { name: 'b/layer.tar', content: tar! }, to('../b/layer.tar')]));
      assert.deepEqual(await names(`docker-archive:${file()}`), ['one']);
      await writeFile(file(), tarOf([...base, to('../../../../../../etc/passwd')]));
      await rejects(`docker-archive:${file()}`, { code: 'bad_request', message: /lacks the layer/ });
      await writeFile(file(), tarOf([...base, to('layer.tar')]));
      await rejects(`docker-archive:${file()}`, { code: 'bad_request', message: /loop/ });
    });

    it('is refused when it is damaged, cut off, packed or something else', async () => {
      const whole = savedOf(both);
      await writeFile(file(), whole.subarray(0, 700));
      await rejects(`docker-archive:${file()}:demo`, { code: 'bad_request' });
      await writeFile(file(), Buffer.from('1f8b0800', 'hex'));
      await rejects(`docker-archive:${file()}`, { code: 'bad_request' });
      await writeFile(file(), Buffer.alloc(4096, 'x'));
      await rejects(`docker-archive:${file()}`, { code: 'bad_request', hint: /gunzip/ });
      await rejects('docker-archive:/nowhere.tar', { code: 'not_found' });
      const other = { ...one, layers: two.layers };
      await writeFile(file(), savedOf([{ image: other, tags: null }]));
      await rejects(`docker-archive:${file()}`, { code: 'bad_request', message: /holds sha256:/ });
    });
  });

  describe('a disk', () => {
    it('is copied with what is in it, and stays as it was', async () => {
      const disk = join(temp(), 'disk.ext4');
      await buildExt4(disk, Readable.from([tarOf([{ name: 'mine', content: 'm' }])]), { sizeMiB: 64 });
      const before = await succeed('sha256sum', [disk]);
      const { path, config } = await ensure(disk);
      assert.deepEqual(await namesIn(path, '/'), ['mine']);
      assert.notEqual(path, disk);
      assert.deepEqual(config.env, []);
      await checkClean(path);
      assert.equal(await succeed('sha256sum', [disk]), before);
      assert.equal((await ensure(disk)).path, path);
    });

    it('is refused when it is none', async () => {
      const file = join(temp(), 'no.ext4');
      await rejects(file, { code: 'image_missing', field: 'image' });
      await writeFile(file, Buffer.alloc(100_000));
      await rejects(file, { code: 'bad_request', message: /no ext4/ });
      await rejects(temp(), { code: 'bad_request', hint: /oci:/ });
    });
  });

  describe('an image for another processor', () => {
    const foreign = imageOf([[{ name: 'other' }]], { architecture: 's390x' });
    const platform = (architecture: string) => ({ platform: { os: 'linux', architecture } });
    const refused = {
      ...{ code: 'not_supported', field: 'image' },
      message: new RegExp(`linux/s390x.*linux/${ownArchitecture()}|linux/${ownArchitecture()}.*linux/s390x`),
    };

    it('is refused with both named, wherever it comes from', async () => {
      const [saved, packed] = [join(temp(), 'saved.tar'), join(temp(), 'layout.tar')];
      const maker = new LayoutMaker().add(foreign);
      await writeFile(saved, savedOf([{ image: foreign, tags: ['demo:1'] }]));
      await writeFile(packed, tarOf(maker.members));
      const layout = await maker.write(join(temp(), 'layout'));
      for (const image of [`docker-archive:${saved}`, `oci:${packed}`, `oci:${layout}`]) {
        await rejects(image, refused);
      }
    });

    it('is refused of a container engine before anything is exported', async () => {
      const untouched = () => Promise.reject(new Error('it was exported'));
      const exporter = {
        find: () => Promise.resolve({ id: foreign.id, os: 'linux', architecture: 's390x' }),
        ...{ exportFiles: untouched, config: untouched },
      };
      const store = storeIn(temp(), { exporter });
      await assert.rejects(store.ensure('demo:1', silent, never), refused);
      await assert.rejects(store.resolve('demo:1'), refused);
    });

    it('is passed over in a list that has one for this machine, and the list refused that has none', async () => {
      const maker = new LayoutMaker();
      maker.manifests.push(
        maker.manifest(foreign, platform('s390x')),
        maker.manifest(one, platform(ownArchitecture())),
      );
      assert.deepEqual(await names(`oci:${await maker.write(join(temp(), 'both'))}`), ['one']);
      maker.manifests.splice(1, 1, maker.manifest(foreign, platform('riscv64')));
      await rejects(`oci:${await maker.write(join(temp(), 'none'))}`, refused);
    });
  });

  it('a name that nobody has is missing', () =>
    rejects('nobody/has:1', { code: 'image_missing', hint: /pull/ }));
});
