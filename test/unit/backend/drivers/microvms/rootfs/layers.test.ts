/** Layers upon layers become a file system that debugfs reads and e2fsck finds clean. */
import assert from 'node:assert/strict';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as zlib from 'node:zlib';
import {
  imageOf,
  LayoutMaker,
  type ImageOptions,
  type LayoutOptions,
  type Member,
} from '../../../../../support/images';
import { useTempFolder } from '../../../../../support/temp';
import { checkClean, debugfs, namesIn, never, silent, storeIn } from './store';

const folder = (name: string, mode = 0o755): Member => ({ name, type: 'directory', mode });
const link = (name: string, linkName: string): Member => ({ name, type: 'symlink', linkName });
const hard = (name: string, linkName: string): Member => ({ name, type: 'link', linkName });

describe('rootfs of layers', function () {
  this.timeout(60_000);
  const temp = useTempFolder();

  async function make(
    layers: readonly (readonly Member[])[],
    options: ImageOptions & LayoutOptions = {},
  ): Promise<string> {
    const layout = await new LayoutMaker()
      .add(imageOf(layers, options), options)
      .write(join(temp(), 'layout'));
    const { path } = await storeIn(temp()).ensure(`oci:${layout}`, silent, never);
    await checkClean(path);
    return path;
  }
  const left = async () => (await readdir(join(temp(), 'cache', 'images', 'rootfs'))).sort();

  it('applies them in order: what is above counts, what is hidden is gone', async () => {
    const image = await make([
      [
        { name: 'a/old', content: 'old' },
        { name: 'a/both', content: 'below' },
        { name: 'b/one' },
        { name: 'b/deep/two' },
        { name: 'c', content: 'a file' },
        { name: 'd/inside' },
      ],
      [
        { name: 'a/.wh.old' },
        { name: 'a/both', content: 'above' },
        { name: 'b/new' },
        { name: 'b/.wh..wh..opq' },
        folder('c'),
        { name: 'c/now', content: 'a folder' },
        { name: '.wh.d' },
        { name: '.wh.never-was' },
      ],
      [{ name: 'a/old', content: 'again' }],
    ]);
    assert.deepEqual(await namesIn(image, '/'), ['a', 'b', 'c']);
    assert.equal(await debugfs(image, 'cat /a/both'), 'above');
    assert.equal(await debugfs(image, 'cat /a/old'), 'again');
    assert.deepEqual(await namesIn(image, '/b'), ['new']);
    assert.equal(await debugfs(image, 'cat /c/now'), 'a folder');
  });

  it('hides with a folder only what lower layers have in it', async () => {
    const image = await make([
      [{ name: 'd/sub/low' }, { name: 'd/low' }],
      [{ name: 'd/sub/high' }, { name: 'd/.wh.sub' }, { name: 'd/.wh..wh..opq' }],
    ]);
    assert.deepEqual(await namesIn(image, '/d'), ['sub']);
    assert.deepEqual(await namesIn(image, '/d/sub'), ['high']);
  });

  it('follows links on the way, as on a merged /usr, and never out', async () => {
    await writeFile(join(temp(), 'victim'), 'as it was');
    const image = await make([
      [folder('usr/lib'), link('lib', 'usr/lib'), link('out', temp()), link('up', '../../../..')],
      [
        { name: 'lib/x.so', content: 'library' },
        { name: 'out/victim', content: 'inside' },
        { name: 'up/top', content: 'top' },
        { name: '../escape', content: 'x' },
        { name: '/abs', content: 'absolute' },
        { name: 'lib/.wh.none' },
      ],
    ]);
    assert.equal(await debugfs(image, 'cat /usr/lib/x.so'), 'library');
    assert.match(await debugfs(image, 'stat /lib'), /symlink/);
    assert.equal(await debugfs(image, 'cat /top'), 'top');
    assert.equal(await debugfs(image, 'cat /abs'), 'absolute');
    assert(!(await namesIn(image, '/')).includes('escape'));
    assert.equal(await readFile(join(temp(), 'victim'), 'utf8'), 'as it was');
  });

  it('keeps owners, modes, hard links across layers, devices and binary attributes', async () => {
    const capability = Buffer.from('0100000200200000000000000000000000000000', 'hex');
    capability[4] = 0xff;
    const xattrs = new Map([
      ['security.capability', capability],
      ['user.é', Buffer.from([0, 0x80, 0xff, 0x0a])],
    ]);
    const image = await make([
      [
        { name: 'bin/ping', mode: 0o4755, uid: 0, gid: 12, content: 'ping', xattrs },
        { name: 'etc/own', uid: 100_000, gid: 65_536, mode: 0o640, content: 'o' },
        { name: 'dev/null', type: 'other', special: { kind: 'character', major: 1, minor: 3 }, mode: 0o666 },
        { name: 'dev/impossible', type: 'other', special: { kind: 'block', major: 259, minor: 70_000 } },
        { name: 'dev/big', type: 'other', special: { kind: 'block', major: 259, minor: 300 } },
        { name: 'pipe', type: 'other', special: { kind: 'fifo', major: 0, minor: 0 } },
      ],
      [hard('bin/ping6', 'bin/ping'), hard('nothing', 'bin/none'), folder('tmp', 0o1777)],
    ]);
    assert.match(await debugfs(image, 'stat /bin/ping'), /Mode:\s+04755[^]*Group:\s+12[^]*Links: 2/);
    assert.equal(await debugfs(image, 'cat /bin/ping6'), 'ping');
    assert.match(await debugfs(image, 'stat /etc/own'), /Mode:\s+0640[^]*User:\s+100000\s+Group:\s+65536/);
    assert.match(await debugfs(image, 'stat /dev/null'), /character special[^]*01:03/);
    assert.match(await debugfs(image, 'stat /tmp'), /Mode:\s+01777/);
    const out = join(temp(), 'value');
    await debugfs(image, `ea_get -f ${out} /bin/ping security.capability`);
    assert.deepEqual(await readFile(out), capability);
    await debugfs(image, `ea_get -f ${out} /bin/ping user.é`);
    assert.deepEqual(await readFile(out), Buffer.from([0, 0x80, 0xff, 0x0a]));
  });

  it('carries names that are no text, and a content of some size', async () => {
    const odd = 'latin-\uefe9';
    const large = Buffer.alloc(3 * 1024 * 1024 + 17, 'berth');
    const image = await make([
      [
        { name: odd, content: 'odd' },
        { name: 'large', content: large },
      ],
    ]);
    const listed = await debugfs(image, 'ls -p /');
    assert(listed.includes('latin-'), listed);
    await debugfs(image, `dump /large ${join(temp(), 'large')}`);
    assert((await readFile(join(temp(), 'large'))).equals(large));
  });

  it('takes layers that are packed or not, by what they are', async () => {
    const image = await make([[{ name: 'plain', content: 'x' }]], { pack: (tar) => tar });
    assert.deepEqual(await namesIn(image, '/'), ['plain']);
  });

  it('says when layers are packed in a way that this Node does not know', async () => {
    const pack = () => Buffer.from('28b52ffd0458', 'hex');
    await assert.rejects(make([[{ name: 'x' }]], { pack }), (error: { code: string; hint?: string }) =>
      'createZstdDecompress' in zlib
        ? error.code === 'bad_request'
        : error.code === 'not_supported' && /Node 22\.15/.test(error.hint ?? ''),
    );
  });

  for (const [what, layers, options, wanted] of [
    ['a loop of links', [[link('a', 'b'), link('b', 'a'), { name: 'a/x' }]], {}, /loop of links/],
    [
      'a layer that is cut off',
      [[{ name: 'x', content: 'y'.repeat(9000) }]],
      { pack: (t: Buffer) => t.subarray(0, 2048) },
      /too early|not .* as its/,
    ],
    ['a layer that is no tar', [[{ name: 'x' }]], { pack: () => Buffer.alloc(2048, 'x') }, /damaged/],
    [
      'other content than its configuration says',
      [[{ name: 'x' }]],
      { diffIds: [`sha256:${'0'.repeat(64)}`] },
      /not sha256:0000/,
    ],
    ['fewer layers than its configuration says', [[{ name: 'x' }]], { diffIds: [] }, /1 layers, and 0/],
    ['another processor', [[{ name: 'x' }]], { architecture: 'riscv128' }, /linux\/riscv128/],
  ] as const) {
    it(`refuses ${what}, and leaves nothing`, async () => {
      const failed = await make(layers, options as ImageOptions & LayoutOptions).then(
        () => assert.fail('it was made'),
        (error: unknown) => error as { code: string; message: string },
      );
      assert.match(failed.message, wanted);
      assert.match(failed.code, /bad_request|not_supported/);
      assert.deepEqual(await left().catch(() => []), []);
    });
  }

  it('says what can not be had, in few words, also when the file system is there already', async () => {
    const long = { type: 'symlink', linkName: 'x'.repeat(5000) } as const;
    const links = Array.from({ length: 30 }, (_, n): Member => ({ name: `link-${n}`, ...long }));
    const layout = await new LayoutMaker().add(imageOf([links])).write(join(temp(), 'layout'));
    const ensure = async () => storeIn(temp()).ensure(`oci:${layout}`, silent, never);
    const { leftOut, config } = await ensure();
    assert.equal(leftOut.length, 11);
    assert.match(leftOut[0] ?? '', /link-\d+" is a link whose target is .* left out/);
    assert.equal(leftOut[10], 'And 20 more.');
    const again = await ensure();
    assert.deepEqual([again.leftOut, again.config], [leftOut, config]);
  });

  it('refuses contents that no disk holds before they are written', async () => {
    const huge = { name: 'huge', size: 2 ** 40 };
    await assert.rejects(make([[huge]]), { code: 'no_space' });
    assert.deepEqual(await left(), []);
  });

  it('is made once for several that want it, and ends when the last of them gives up', async () => {
    const layers = [Array.from({ length: 300 }, (_, n) => ({ name: `f${n}`, content: String(n) }))];
    const layout = await new LayoutMaker().add(imageOf(layers)).write(join(temp(), 'layout'));
    const store = storeIn(temp());
    const [one, two] = [new AbortController(), new AbortController()];
    const first = store.ensure(`oci:${layout}`, silent, one.signal);
    const reported: number[] = [];
    const second = store.ensure(`oci:${layout}`, ({ done }) => reported.push(done), two.signal);
    one.abort();
    await assert.rejects(first, { code: 'cancelled' });
    const { path } = await second;
    assert(reported.length > 0);
    await checkClean(path);
    assert.deepEqual((await left()).length, 2);
  });

  it('leaves nothing when it is cancelled', async () => {
    const layers = [Array.from({ length: 2000 }, (_, n) => ({ name: `f${n}`, content: String(n) }))];
    const layout = await new LayoutMaker().add(imageOf(layers)).write(join(temp(), 'layout'));
    const abort = new AbortController();
    const making = storeIn(temp()).ensure(`oci:${layout}`, () => abort.abort(), abort.signal);
    await assert.rejects(making, { code: 'cancelled' });
    assert.deepEqual(await left(), []);
  });
});
