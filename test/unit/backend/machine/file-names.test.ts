import assert from 'node:assert/strict';
import { FrameReader, encodeFrame, type Frame } from '../../../../src/backend/files/agent/frames';
import { staysInside } from '../../../../src/backend/tar/entry-names';
import { decodeName, encodeName, hasEscapes } from '../../../../src/backend/machine/file-names';
import { copyName, firstFree, numberedName } from '../../../../src/backend/files/naming';
import {
  baseName,
  isInside,
  joinPath,
  normalizePath,
  parentPath,
} from '../../../../src/api/rules/volume-path';
import { hasCode } from '../files/agent/harness';

describe('names', () => {
  it('map any bytes to text and back', () => {
    for (let n = 0; n < 2000; n++) {
      const bytes = Buffer.from(
        Array.from({ length: 1 + (n % 12) }, () => 1 + Math.floor(Math.random() * 255)),
      );
      const text = decodeName(bytes);
      assert.deepEqual(encodeName(text), bytes, bytes.toString('hex'));
      assert.doesNotThrow(() => encodeURIComponent(text));
    }
  });

  it('leave ordinary text alone, and take genuine escape characters apart', () => {
    for (const text of ['plain', 'ünï', '日本', '\u{1F600}', '\uFFFD', '\uFEFFbom']) {
      assert.equal(decodeName(Buffer.from(text)), text);
      assert.equal(hasEscapes(text), false);
    }
    assert.equal(decodeName(Buffer.from('\uEF81')), '\uEFEE\uEFBE\uEF81');
    assert.equal(decodeName(Buffer.from([0x61, 0xff])), 'a\uEFFF');
    // What is over-long or half a pair is not UTF-8.
    assert.equal(decodeName(Buffer.from([0xc0, 0xaf])), '\uEFC0\uEFAF');
    assert.equal(decodeName(Buffer.from([0xed, 0xa0, 0x80])), '\uEFED\uEFA0\uEF80');
  });

  it('are found for copies', async () => {
    assert.equal(copyName('a.txt', 1, false), 'a copy.txt');
    assert.equal(copyName('a.txt', 2, false), 'a copy 2.txt');
    assert.equal(copyName('v1.2', 1, true), 'v1.2 copy');
    assert.equal(numberedName('.profile', 2, false), '.profile (2)');
    assert.equal(numberedName('a.tar.gz', 3, false), 'a.tar (3).gz');
    const taken = new Set(['x (2)', 'x (3)']);
    assert.equal(
      await firstFree(
        (n) => numberedName('x', n, true),
        (name) => Promise.resolve(taken.has(name)),
        2,
      ),
      'x (4)',
    );
  });
});

describe('paths in volumes', () => {
  it('are made plain', () => {
    assert.equal(normalizePath('/'), '/');
    assert.equal(normalizePath('//a/./b//'), '/a/b');
    assert.equal(normalizePath('/...'), '/...');
    assert.throws(() => normalizePath('/a/..'), hasCode('path_escapes'));
    assert.throws(() => normalizePath('relative'), hasCode('bad_request'));
  });

  it('are joined and taken apart', () => {
    assert.equal(joinPath('/', 'a'), '/a');
    assert.equal(joinPath('/a', 'b', 'c'), '/a/b/c');
    assert.equal(joinPath('/'), '/');
    assert.equal(parentPath('/a'), '/');
    assert.equal(parentPath('/a/b'), '/a');
    assert.equal(baseName('/a/b'), 'b');
    assert.ok(isInside('/a/b', '/a') && isInside('/a', '/a') && isInside('/x', '/'));
    assert.ok(!isInside('/ab', '/a'));
  });

  it('tell which links stay inside', () => {
    const link = ['top', 'd', 'link'];
    for (const target of ['f', 'a/b', '../x', '../../x', './f', '..']) {
      assert.ok(staysInside(link, target), target);
    }
    for (const target of ['', '/etc', '../../../x', 'a/../../x', '../x/../../../y']) {
      assert.ok(!staysInside(link, target), target);
    }
  });
});

describe('frames', () => {
  it('are cut out of chunks of any size', () => {
    const frames = [1, 2, 3].map((id) => ({ head: { id }, payload: Buffer.alloc(id * 1000, id) }));
    const bytes = Buffer.concat(frames.flatMap(({ head, payload }) => encodeFrame(head, payload)));
    for (const size of [1, 7, 1000, bytes.length]) {
      const seen: Frame[] = [];
      const reader = new FrameReader(
        (frame) => seen.push(frame),
        () => 1024 * 1024,
      );
      for (let at = 0; at < bytes.length; at += size) {
        reader.push(bytes.subarray(at, at + size));
      }
      assert.deepEqual(seen, frames);
    }
  });

  it('out of step are noticed', () => {
    const reader = new FrameReader(
      () => undefined,
      () => 1024,
    );
    assert.throws(() => reader.push(Buffer.alloc(16, 0xff)), /a frame of/);
  });
});
