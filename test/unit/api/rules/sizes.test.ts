import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { exactMiB, formatBytes, formatMiB, parseDiskSize, parseMiB } from '../../../../src/api/rules/sizes';

describe('api/rules/sizes', () => {
  it('shows bytes with at most three digits before the unit changes', () => {
    const shown = [0, 1, 999, 1000, 1024, 1536, 10_240, 1_048_575, 1_048_576, 5e9, 2 ** 50].map(formatBytes);
    assert.deepEqual(shown, [
      '0 B',
      '1 B',
      '999 B',
      '1.0 KiB',
      '1.0 KiB',
      '1.5 KiB',
      '10 KiB',
      '1.0 MiB',
      '1.0 MiB',
      '4.7 GiB',
      '1.0 PiB',
    ]);
  });

  it('never shows four digits', () => {
    for (let exponent = 0; exponent < 50; exponent += 0.01) {
      const shown = formatBytes(Math.floor(2 ** exponent));
      assert.match(shown, /^\d{1,3}(\.\d)? [KMGTP]?i?B$/, `${2 ** exponent}`);
    }
  });

  it('shows a negative count as nothing', () => {
    assert.equal(formatBytes(-1), '0 B');
  });

  it('shows MiB', () => {
    assert.equal(formatMiB(512), '512 MiB');
    assert.equal(formatMiB(2048), '2.0 GiB');
  });

  it('shows MiB that may be typed again as they are', () => {
    assert.deepEqual([512, 1300, 4096].map(exactMiB), ['512 MiB', '1300 MiB', '4 GiB']);
  });

  it('reads MiB, whole ones of one at least', () => {
    const sizes = ['512', '512m', '512 MiB', '2g', '1.5GiB', '2048k', '1t', ' 4 G '];
    assert.deepEqual(sizes.map(parseMiB), [512, 512, 512, 2048, 1536, 2, 1_048_576, 4096]);
    for (const text of ['', 'much', '-1', '0', '1k', '1e3', 'm', '1 g b']) {
      assert.equal(parseMiB(text), undefined, text);
    }
  });

  it('takes for disks what the engine makes', () => {
    assert.deepEqual(['1', '1t'].map(parseDiskSize), [1, 1_048_576]);
    assert.deepEqual(['0', '1.1t'].map(parseDiskSize), [undefined, undefined]);
  });
});

describe('sizes in what people read', () => {
  const root = join(__dirname, '../../../../..');
  const decimal = /(?:\d|\}|'|"|`) ?(?:kB|KB|MB|GB|TB)\b/;
  /** What /proc of a guest says, in its own words. */
  const quotes = ['src/backend/drivers/microvms/guest/stats.ts'];

  it('have binary units everywhere', () => {
    const sources = readdirSync(join(root, 'src'), { recursive: true, encoding: 'utf8' })
      .filter((path) => path.endsWith('.ts'))
      .map((path) => `src/${path}`);
    const texts = ['README.md', 'package.nls.json', 'l10n/bundle.l10n.json'];
    const found = [...sources, ...texts]
      .filter((path) => !quotes.includes(path))
      .flatMap((path) =>
        readFileSync(join(root, path), 'utf8')
          .split('\n')
          .filter((line) => !/^\s*(?:\*|\/[/*])/.test(line) && decimal.test(line))
          .map((line) => `${path}: ${line.trim()}`),
      );
    assert.ok(sources.length > 500);
    assert.deepEqual(found, []);
  });

  it('is the one place that says how many bytes a unit has', () => {
    const src = join(__dirname, '../../../../../src');
    const named = readdirSync(src, { recursive: true, encoding: 'utf8' })
      .filter((path) => path.endsWith('.ts') && path !== join('api', 'rules', 'sizes.ts'))
      .filter((path) => /const (kibi|mebi|gibi)byte\b/i.test(readFileSync(join(src, path), 'utf8')));
    assert.deepEqual(named, []);
  });
});
