import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, mkdirSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import type { InventoryRow } from '../../../../../../src/backend/files/inventory';
import {
  bytesOf,
  matches,
  parseIgnoreFile,
} from '../../../../../../src/backend/services/volumes/compare/gitignore';
import { IgnoredNames } from '../../../../../../src/backend/services/volumes/compare/ignored';
import { Random } from '../../../../../support/random';

/** What patterns and names are made of: few characters, so that they meet. */
const nameParts = ['a', 'b', 'ab', '.', 'x y', '[', ']', '!', '#', '*', '-', 'é', '\\', '^', 'A', '1', ' '];
const patternParts = [
  ...[
    'a',
    'b',
    'ab',
    '*',
    '**',
    '***',
    '?',
    '/',
    '/',
    '[ab]',
    '[!a]',
    '[^b]',
    '[a-c]',
    '[]a]',
    '[[:alpha:]]',
  ],
  ...[
    '[[:bad:]]',
    '[',
    ']',
    '\\',
    '\\*',
    '!',
    '#',
    '.',
    ' ',
    'é',
    '**/',
    '/**',
    '/**/',
    'x y',
    '-',
    '1',
    '[\\]]',
  ],
];

describe('.gitignore files', () => {
  let folder: string;
  beforeEach(() => (folder = mkdtempSync(join(tmpdir(), 'berth-ignore-'))));
  afterEach(() => rmSync(folder, { recursive: true }));

  it('leave out what git leaves out, for any trees and patterns', async function () {
    this.timeout(120_000);
    for (let seed = 1; seed <= 20; seed += 1) {
      const root = join(folder, String(seed));
      makeTree(root, seed);
      const expected = execFileSync('git', ['ls-files', '-o', '--exclude-standard', '-z'], {
        cwd: root,
        encoding: 'latin1',
        env: { ...process.env, GIT_CONFIG_GLOBAL: '/dev/null', GIT_CONFIG_SYSTEM: '/dev/null' },
      });
      assert.deepEqual(
        (await left(root)).sort(),
        expected.split('\0').filter(Boolean).sort(),
        `seed ${seed}`,
      );
    }
  });

  it('take a time that grows with the pattern, and end where all of them take too long', async () => {
    const line = `${'*a'.repeat(250)}b\n`;
    const [pattern] = parseIgnoreFile(Buffer.from(line));
    assert.ok(pattern);
    const steps = { left: 1_000_000 };
    assert.equal(matches(pattern, 'a'.repeat(255), steps), false);
    assert.ok(steps.left > 800_000, String(steps.left));
    const root = join(folder, 'many');
    mkdirSync(root);
    writeFileSync(join(root, '.gitignore'), line.repeat(200));
    for (let count = 0; count < 100; count += 1) writeFileSync(join(root, `${'a'.repeat(200)}${count}`), '');
    await assert.rejects(left(root), { code: 'too_large' });
  });

  it('are read but for lines that are no patterns, and up to a size', async () => {
    assert.equal(parseIgnoreFile(Buffer.from(`\\\n/\n//\n# x\n\n[z-\n`)).length, 0);
    assert.equal(parseIgnoreFile(Buffer.from('\ufeffa\r\nb ')).length, 2);
    const root = join(folder, 'large');
    mkdirSync(root);
    writeFileSync(join(root, '.gitignore'), 'a\n'.repeat(40_000));
    await assert.rejects(left(root), { code: 'too_large' });
  });

  function makeTree(root: string, seed: number): void {
    const random = new Random(seed);
    const some = (parts: readonly string[], most: number): string =>
      Array.from({ length: 1 + random.next(most) }, () => random.pick(parts)).join('');
    mkdirSync(root);
    execFileSync('git', ['init', '-q', root]);
    const fill = (path: string, depth: number): void => {
      for (let count = 2 + random.next(4); count > 0; count -= 1) {
        const name = some(nameParts, 3);
        const isFree = !readdirSync(path).includes(name) && !['.', '..', '.git'].includes(name);
        if (isFree && depth < 3 && random.next(10) < 4) {
          mkdirSync(join(path, name));
          fill(join(path, name), depth + 1);
        } else if (isFree) {
          writeFileSync(join(path, name), '');
        }
      }
      if (random.next(10) < 6) {
        const lines = Array.from({ length: 1 + random.next(4) }, () => some(patternParts, 4));
        writeFileSync(join(path, '.gitignore'), lines.join(random.next(5) === 0 ? '\r\n' : '\n'));
      }
    };
    fill(root, 0);
  }

  /** The files that stay, as bytes. */
  function left(root: string): Promise<string[]> {
    const read = (path: string): Promise<Readable> =>
      Promise.resolve(Readable.from([readFileSync(join(root, path))]));
    return walk(new IgnoredNames(read, '/'), root, []);
  }
});

async function walk(names: IgnoredNames, root: string, parts: string[]): Promise<string[]> {
  const at = join(root, ...parts);
  const all = readdirSync(at, { withFileTypes: true });
  const files = all.filter((entry) => entry.isFile());
  const rows = files.map(({ name }) => rowOf(name, join(at, name)));
  await names.enter({ parts, own: rowOf(parts.at(-1) ?? '', at), rows });
  const left: string[] = [];
  for (const entry of all) {
    const path = `/${[...parts, entry.name].join('/')}`;
    if (!names.isIgnored(path, entry.isDirectory())) {
      left.push(
        ...(entry.isDirectory() ? await walk(names, root, [...parts, entry.name]) : [bytesOf(path.slice(1))]),
      );
    }
  }
  return left;
}

function rowOf(name: string, path: string): InventoryRow {
  const { mode, size } = statSync(path);
  return { name, mode, size, uid: 0, gid: 0, device: 0, mtimeMs: 0, mark: undefined, digest: undefined };
}
