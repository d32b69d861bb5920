import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import * as ts from 'typescript';

const root = join(__dirname, '../../..');
const maxFiles = 24;

/** How many files are in each folder, that of its subfolders not counted. */
function counts(folder: string): Map<string, number> {
  const found = new Map<string, number>();
  const visit = (path: string): void => {
    const entries = readdirSync(join(root, path), { withFileTypes: true });
    found.set(path, entries.filter((entry) => !entry.isDirectory()).length);
    for (const entry of entries.filter((each) => each.isDirectory())) visit(`${path}/${entry.name}`);
  };
  visit(folder);
  return found;
}

/** What each source file imports of the others, types included. */
function importsOf(folder: string): Map<string, string[]> {
  const paths = readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' });
  const files = paths.filter((path) => path.endsWith('.ts')).map((path) => join(root, folder, path));
  return new Map(
    files.map((file) => {
      const { importedFiles } = ts.preProcessFile(readFileSync(file, 'utf8'));
      const local = importedFiles.map(({ fileName }) => fileName).filter((name) => name.startsWith('.'));
      // A dynamic import names what is compiled.
      const resolved = local.map((name) => join(dirname(file), name.replace(/\.js$/, '')));
      return [
        file,
        resolved.map((path) => (existsSync(`${path}.ts`) ? `${path}.ts` : join(path, 'index.ts'))),
      ];
    }),
  );
}

/** The cycles that a walk along the imports comes upon, each from one of its files back to it. */
function cyclesIn(imports: ReadonlyMap<string, readonly string[]>): string[][] {
  const done = new Set<string>();
  const cycles: string[][] = [];
  const visit = (file: string, above: readonly string[]): void => {
    const from = above.indexOf(file);
    if (from >= 0) cycles.push([...above.slice(from), file].map((path) => path.slice(root.length + 1)));
    if (from >= 0 || done.has(file)) return;
    for (const next of imports.get(file) ?? []) visit(next, [...above, file]);
    done.add(file);
  };
  for (const file of imports.keys()) visit(file, []);
  return cycles;
}

describe('the imports of the sources', () => {
  it('make no circle, not even of types', () => {
    const imports = importsOf('src');
    assert.ok([...imports.values()].flat().length > 1000, 'the imports were found');
    assert.deepEqual(cyclesIn(imports), []);
  });
});

describe('the folders of the sources and of the tests', () => {
  it('hold so few files that a newcomer finds one: whatever holds more is two rooms', () => {
    const crowded = [...counts('src'), ...counts('test')].filter(([, count]) => count > maxFiles);
    assert.deepEqual(crowded, []);
  });
});
