/** Hundreds of random changes on file systems of every kind; then e2fsck and our own model must agree with what is there. */
import assert from 'node:assert/strict';
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { DiskError } from '../../../../src/backend/ext4/disk-error';
import { Ext4, rootInode } from '../../../../src/backend/ext4/file-system';
import { usedRanges } from '../../../../src/backend/ext4/used-ranges';
import { copySparse } from '../../../../src/backend/machine/copies';
import { useTempFolder } from '../../../support/temp';
import { assertClean, makeImage } from '../files/disk/harness';
import { Random } from '../../../support/random';

const attributes = { mode: 0o644, uid: 1000, gid: 70_000, mtime: 1_600_000_000_123_456 };

interface Named {
  directory: number;
  name: string;
  content: Buffer;
  inode: number;
}

class Model {
  readonly files: Named[] = [];
  private readonly folders = [rootInode];

  constructor(
    private fs: Ext4,
    private readonly random: Random,
  ) {}

  reopened(fs: Ext4): void {
    this.fs = fs;
  }

  step(): void {
    const { random, fs, files } = this;
    const directory = random.pick(this.folders);
    const name = this.name();
    const isFree = fs.lookup(directory, name) === undefined;
    const file = files.length === 0 ? undefined : random.pick(files);
    const action = random.next(10);
    if (action < 4 && isFree) {
      this.make(directory, name, this.content());
    } else if (action === 4 && isFree && this.folders.length < 30) {
      this.folders.push(fs.transact(() => fs.makeDirectory(directory, name, { ...attributes, mode: 0o755 })));
    } else if (action === 5 && file !== undefined) {
      fs.transact(() => fs.remove(file.directory, file.name));
      files.splice(files.indexOf(file), 1);
    } else if (action === 6 && file !== undefined && isFree) {
      fs.transact(() => fs.rename(file.directory, file.name, directory, name));
      Object.assign(file, { directory, name });
    } else if (action === 7 && file !== undefined && isFree) {
      fs.transact(() => fs.addName(directory, name, file.inode));
      files.push({ ...file, directory, name });
    } else if (action === 8 && isFree) {
      const target = 'x'.repeat(1 + random.next(random.pick([50, 900])));
      fs.transact(() => fs.makeLink(directory, name, target, attributes));
      assert.equal(fs.readLink(fs.inode(fs.lookup(directory, name)!)), target);
    } else if (action === 9) {
      this.makeMany(directory);
    }
  }

  verify(): void {
    for (const { directory, name, content } of this.files) {
      const inode = this.fs.inode(this.fs.lookup(directory, name)!);
      const reading = this.fs.reader(inode);
      assert.ok(reading.content.read(0, inode.size).equals(content), name);
      assert.equal(inode.time('mtime'), inode.raw.length > 128 ? attributes.mtime : 1_600_000_000_000_000);
      reading.close();
    }
  }

  removeAll(directory = rootInode): void {
    for (const [name, { inode }] of [...this.fs.names(directory)]) {
      if (name !== 'lost+found') {
        if (this.fs.inode(inode).isDirectory) {
          this.removeAll(inode);
        }
        this.fs.transact(() => this.fs.remove(directory, name));
      }
    }
  }

  private make(directory: number, name: string, content: Buffer): void {
    const fresh = this.fs.newContent();
    try {
      for (let at = 0; at < content.length; at += 70_001) {
        fresh.append(content.subarray(at, at + 70_001));
      }
      fresh.finish();
      const inode = this.fs.transact(() => this.fs.makeFile(directory, name, fresh, attributes));
      this.files.push({ directory, name, content, inode });
    } finally {
      fresh.giveUp();
    }
  }

  private makeMany(directory: number): void {
    const made: Named[] = [];
    this.fs.transact(() => {
      for (let n = 0; n < 50; n++) {
        const name = `many-${this.random.next(1e9)}-${n}`;
        const fresh = this.fs.newContent();
        fresh.append(Buffer.from(name));
        fresh.finish();
        const inode = this.fs.makeFile(directory, name, fresh, attributes);
        made.push({ directory, name, content: Buffer.from(name), inode });
      }
    });
    this.files.push(...made);
  }

  private name(): string {
    const length = 2 + this.random.next(this.random.pick([30, 30, 240]));
    const text = Array.from({ length }, () => String.fromCharCode(33 + this.random.next(90))).join('');
    return `f${this.random.next(8) === 0 ? `${text.slice(0, 20)}é日` : text}`.replace(/\//g, '_');
  }

  private content(): Buffer {
    const size = this.random.pick([0, 10, 4096, 5000, 100_000, this.random.next(1_000_000)]);
    return Buffer.alloc(size, String.fromCharCode(65 + this.random.next(26)));
  }
}

const kinds: readonly [string, number, readonly string[]][] = [
  ['as mke2fs makes it', 300, []],
  ['that is nearly full', 40, []],
  ['with small blocks', 200, ['-b', '1024']],
  ['with tiny groups', 64, ['-b', '1024', '-g', '1024']],
  ['without checksums', 200, ['-O', '^metadata_csum']],
  ['with checksums of groups only', 200, ['-O', '^metadata_csum,uninit_bg']],
  ['with small inodes and numbers', 200, ['-O', '^64bit', '-I', '128']],
  ['without indexes', 150, ['-O', '^dir_index']],
  ['without a journal', 64, ['-O', '^has_journal', '-b', '2048']],
  ['without flexible groups', 200, ['-O', '^flex_bg,sparse_super2']],
  ['whose names say no types', 200, ['-O', '^filetype']],
];

describe('an ext4 file system', function () {
  this.timeout(60_000);
  const folder = useTempFolder();

  for (const [seed, [what, sizeMiB, options]] of kinds.entries()) {
    it(`${what} takes any changes and stays sound, and so does a copy of what is used`, async () => {
      const image = makeImage(join(folder(), 'fs.ext4'), sizeMiB, options);
      let fs = Ext4.open(image);
      const model = new Model(fs, new Random(seed + 1));
      let refused = 0;
      for (let step = 0; step < 400 && refused < 10; step++) {
        try {
          model.step();
        } catch (error) {
          assert.ok(error instanceof DiskError && error.code === 'no_space', String(error));
          refused++;
        }
        if (step % 150 === 149) {
          fs.close();
          assertClean(image);
          fs = Ext4.open(image);
          model.reopened(fs);
        }
      }
      model.verify();
      fs.close();
      assertClean(image);
      const copy = join(folder(), 'copy.ext4');
      await copySparse(image, copy, { ranges: usedRanges(image) });
      assertClean(copy);
      fs = Ext4.open(copy);
      model.reopened(fs);
      model.verify();
      fs.close();
      assert.ok(statSync(copy).blocks <= statSync(image).blocks + 2048, 'it takes no more');
      fs = Ext4.open(image);
      model.reopened(fs);
      model.removeAll();
      fs.close();
      assertClean(image);
    });
  }

  it('that is large and empty is copied as quickly as a small one', () => {
    const image = makeImage(join(folder(), 'large.ext4'), 64 * 1024);
    const began = performance.now();
    const bytes = usedRanges(image).reduce((sum, { length }) => sum + length, 0);
    // Tables of inodes, and the journal.
    assert.ok(bytes < 2 * 1024 ** 3, `${bytes} bytes of 64 GiB`);
    assert.ok(performance.now() - began < 5_000);
  });

  it('that gives out room in clusters is refused as what it is', () => {
    const image = makeImage(join(folder(), 'clusters.ext4'), 200, ['-O', 'bigalloc', '-C', '65536']);
    assert.throws(
      () => Ext4.open(image),
      (error) =>
        error instanceof DiskError && error.code === 'not_supported' && /bigalloc/.test(error.message),
    );
  });

  it('that others made for other purposes is not written to', () => {
    const image = makeImage(join(folder(), 'old.ext4'), 16, ['-O', '^extents,^64bit']);
    const fs = Ext4.open(image);
    assert.equal(fs.names(rootInode).size, 1);
    assert.throws(
      () => fs.newContent(),
      (error) => error instanceof DiskError && error.code === 'read_only',
    );
    fs.close();
  });
});
