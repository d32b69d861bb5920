/** Workspace files: what is written is what is read, and nothing else is taken for one. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { BundleReader } from '../../../../../../src/backend/services/workspaces/export/bundle-reader';
import {
  BundleWriter,
  pieceBytes,
  pieceName,
} from '../../../../../../src/backend/services/workspaces/export/bundle-writer';
import type { Manifest } from '../../../../../../src/backend/services/workspaces/export/manifest';
import { encodeHeader, paddingOf } from '../../../../../../src/backend/tar/header';

const manifest: Manifest = {
  format: 'berth-workspace',
  version: 1,
  createdAt: '2026-01-01T00:00:00.000Z',
  workspace: {
    name: 'demo',
    label: 'Demo',
    cloned: false,
    spec: {
      runtime: 'container',
      image: 'workspace:latest',
      mounts: [{ kind: 'volume', source: 'data', target: '/data', readOnly: false }],
    },
    secretNames: ['TOKEN'],
  },
  image: { isIncluded: true, bytes: 1 },
  volumes: [
    { role: 'named', name: 'data', bytes: 2 },
    { role: 'home', name: 'workspace-demo', bytes: 3 },
  ],
  leftOut: [],
};
const names = ['image', 'volumes/0', 'volumes/1'];

async function written(contents: readonly Buffer[], about: unknown = manifest): Promise<Buffer> {
  const parts: Buffer[] = [];
  const writer = new BundleWriter((bytes) => {
    parts.push(bytes);
    return Promise.resolve();
  });
  await writer.manifest(about as Manifest);
  for (const [index, content] of contents.entries()) {
    await writer.content(names[index] ?? '', async (take) => {
      for (let at = 0; at < content.length;) {
        const chunk = content.subarray(at, at + 1 + Math.floor(Math.random() * 700_000));
        at += chunk.length;
        await take(chunk);
      }
    });
  }
  await writer.end();
  return Buffer.concat(parts);
}

async function read(file: Buffer): Promise<{ manifest: Manifest; contents: Buffer[] }> {
  async function* chunks(): AsyncGenerator<Buffer> {
    for (let at = 0; at < file.length;) {
      const chunk = file.subarray(at, at + 1 + Math.floor(Math.random() * 100_000));
      at += chunk.length;
      yield await Promise.resolve(chunk);
    }
  }
  const reader = new BundleReader(chunks());
  const found = await reader.manifest();
  const contents: Buffer[] = [];
  for (const name of names) {
    const parts: Buffer[] = [];
    for await (const part of reader.content(name)) {
      parts.push(part);
    }
    contents.push(Buffer.concat(parts));
  }
  await reader.end();
  return { manifest: found, contents };
}

const member = (name: string, content: Buffer, more: object = {}): Buffer =>
  Buffer.concat([
    encodeHeader({
      ...{ name, type: 'file', size: content.length, mode: 0o644, uid: 0, gid: 0, mtimeMs: 0, linkName: '' },
      ...more,
    }),
    content,
    Buffer.alloc(paddingOf(content.length)),
  ]);
const about = (value: unknown): Buffer => member('berth.json', Buffer.from(JSON.stringify(value)));
const refused = (file: Buffer, message: RegExp): Promise<void> =>
  assert.rejects(read(file), { code: 'bad_request', message });

describe('a workspace file', function () {
  this.timeout(120_000);

  it('is read as it was written, whatever its contents', async () => {
    const sizes = [0, 1, pieceBytes - 1, pieceBytes, pieceBytes + 1, 5 * pieceBytes + 17];
    for (const size of sizes) {
      const contents = [randomBytes(size), Buffer.alloc(size), randomBytes(100)];
      const found = await read(await written(contents));
      assert.deepEqual(found.manifest, manifest);
      assert.deepEqual(
        found.contents.map((each, index) => each.equals(contents[index] ?? Buffer.alloc(0))),
        [true, true, true],
      );
    }
  });

  it('is a tar that tar, gzip and sha256sum can read', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'berth-file-'));
    try {
      const content = randomBytes(2 * pieceBytes + 5);
      writeFileSync(join(folder, 'demo.berth'), await written([content, Buffer.from('a'), Buffer.from('b')]));
      const script = 'tar xf demo.berth && sha256sum --quiet -c SHA256SUMS && cat image/*.gz | gunzip';
      const found = execFileSync('sh', ['-c', script], { cwd: folder, maxBuffer: 8 * pieceBytes });
      assert.ok(found.equals(content));
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it('is refused with any byte flipped, and names a member', async () => {
    const file = await written([randomBytes(3000), Buffer.from('small'), Buffer.alloc(10_000)]);
    for (let tries = 0; tries < 1500; tries += 1) {
      const at = tries < 1024 ? tries : Math.floor(Math.random() * file.length);
      const flipped = Buffer.from(file);
      flipped[at] = (flipped[at] ?? 0) ^ (1 << Math.floor(Math.random() * 8));
      await assert.rejects(read(flipped), /is damaged, or is none: "|has the format/, `byte ${at}`);
    }
  });

  it('is refused when it ends early, wherever', async () => {
    const file = await written([randomBytes(3000), Buffer.from('small'), Buffer.alloc(10_000)]);
    for (let at = 0; at < file.length; at += 97) {
      await assert.rejects(read(file.subarray(0, at)), { code: 'bad_request', field: 'file' });
    }
    await refused(Buffer.concat([file, Buffer.alloc(1)]), /there is more behind it/);
  });

  it('has the members that it must have, and no other', async () => {
    const piece = gzipSync('x');
    const first = about(manifest);
    const image = member(pieceName('image', 0), piece);
    const cases: [Buffer, RegExp][] = [
      [Buffer.from('no tar at all'.repeat(100)), /it is no workspace file/],
      [member('other.json', Buffer.from('{}')), /"other.json": a workspace file begins with berth.json/],
      [
        Buffer.concat([first, member('../../etc/cron.d/x', piece)]),
        /"\.\.\/\.\.\/etc\/cron.d\/x": image\/00000000.gz must/,
      ],
      [
        Buffer.concat([first, member('image/00000001.gz', piece)]),
        /"image\/00000001.gz": image\/00000000.gz must/,
      ],
      [
        Buffer.concat([
          first,
          member('image/00000000.gz', Buffer.alloc(0), { type: 'symlink', linkName: '/etc/passwd' }),
        ]),
        /"image\/00000000.gz": it is no plain file/,
      ],
      [Buffer.concat([first, image, image]), /"image\/00000000.gz": volumes\/0\/00000000.gz must/],
      [
        Buffer.concat([first, member('image/00000000.gz', gzipSync(Buffer.alloc(64 * pieceBytes)))]),
        /"image\/00000000.gz": it can not be unpacked/,
      ],
      [
        Buffer.concat([first, member('image/00000000.gz', randomBytes(2 * pieceBytes))]),
        /it has 2097152 bytes, more than/,
      ],
      [member('berth.json', Buffer.alloc(2 * pieceBytes)), /"berth.json": it has 2097152 bytes/],
      [
        Buffer.concat([first, image, member(pieceName('image', 1), piece)]),
        /"image\/00000001.gz": the piece before it is not full/,
      ],
    ];
    for (const [file, message] of cases) {
      await refused(file, message);
    }
  });

  it('has sums of its members and no more: of another size not a byte is read', async () => {
    const small = Buffer.from('small');
    const file = await written([small, small, small]);
    const at = file.lastIndexOf('SHA256SUMS');
    const huge = encodeHeader({
      ...{ name: 'SHA256SUMS', type: 'file', size: 500 * pieceBytes, mode: 0o644, uid: 0, gid: 0 },
      ...{ mtimeMs: 0, linkName: '' },
    });
    let asked = 0;
    async function* endless(): AsyncGenerator<Buffer> {
      yield await Promise.resolve(Buffer.concat([file.subarray(0, at), huge]));
      for (; asked < 100; asked += 1) {
        yield Buffer.alloc(pieceBytes, '\n');
      }
    }
    const reader = new BundleReader(endless());
    await reader.manifest();
    for (const name of names) {
      for await (const piece of reader.content(name)) {
        assert.ok(piece.equals(small));
      }
    }
    await assert.rejects(reader.end(), { code: 'bad_request', message: /it names other members/ });
    assert.equal(asked, 0);
  });

  it('has a manifest of values that a workspace can have', async () => {
    const { workspace } = manifest;
    const spec = (more: object): object => ({
      ...manifest,
      workspace: { ...workspace, spec: { ...workspace.spec, ...more } },
    });
    const mount = (more: object): object => spec({ mounts: [{ ...workspace.spec.mounts?.[0], ...more }] });
    const cases: unknown[] = [
      [],
      { ...manifest, more: 1 },
      { ...manifest, workspace: { ...workspace, name: '../up' } },
      { ...manifest, workspace: { ...workspace, name: 'x'.repeat(64) } },
      { ...manifest, workspace: { ...workspace, label: 'two\nlines' } },
      { ...manifest, workspace: { ...workspace, secretNames: ['a b'] } },
      { ...manifest, volumes: [] },
      { ...manifest, volumes: manifest.volumes.slice(1) },
      { ...manifest, volumes: [...manifest.volumes].reverse() },
      { ...manifest, volumes: [{ role: 'named', name: '../x', bytes: 0 }, manifest.volumes[1]] },
      spec({ env: { VALUE: 'x'.repeat(10_000) } }),
      spec({ postStart: { scripts: ['/bin/sh'] } }),
      spec({ credentialFiles: [{ source: '/etc/shadow', target: '/x' }] }),
      spec({ cloneUrl: 'file:///etc' }),
      spec({ cloneUrl: 'https://example.org/a.git', cloneBranch: '--upload-pack=x' }),
      spec({ cloneDepth: 1 }),
      ...['/home/me/x.ext4', './x.ext4', 'oci:/x', 'docker-archive:/x.tar', '~/x.ext4'].map((path) => ({
        ...{ ...manifest, image: { isIncluded: false, bytes: 0 } },
        workspace: { ...workspace, spec: { ...workspace.spec, runtime: 'microvm', image: path } },
      })),
      { ...manifest, volumes: [manifest.volumes[0], { ...manifest.volumes[1], sizeMiB: 0 }] },
      mount({ target: '/proc' }),
      mount({ target: '/a/../../b' }),
      mount({ readOnly: true }),
      mount({ kind: 'disk', source: '/etc/passwd.img' }),
      mount({ kind: 'volume', source: '/etc/passwd.img' }),
    ];
    for (const value of cases) {
      await assert.rejects(read(about(value)), { code: 'bad_request' }, JSON.stringify(value));
    }
    await assert.rejects(read(about({ ...manifest, version: 2, new: true })), {
      code: 'not_supported',
      field: 'file',
    });
  });
});
