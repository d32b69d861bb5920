import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';
import { basename, join } from 'node:path';

const root = join(__dirname, '../../..');

function filesBelow(folder: string, extension: RegExp): string[] {
  return readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => extension.test(name) && !name.includes('node_modules'))
    .map((name) => join(folder, name));
}

const documents = readdirSync(root).filter((name) => name.endsWith('.md'));
const sources = ['src', 'test', 'bench', 'scripts', 'images'].flatMap((folder) =>
  filesBelow(folder, /\.(ts|mts|mjs|py)$/),
);
const known = new Set([...documents, ...filesBelow('bench', /\.md$/)].map((path) => basename(path)));

/** A file that the README copies in its examples. */
const inExamples = 'notes.md';

/** Markdown files by name, but those of web addresses. */
function namedIn(text: string): string[] {
  const local = text.replaceAll(/https?:\/\/\S+/g, '');
  return [...local.matchAll(/[\w-]+\.md\b/g)].map(([name]) => name);
}

/** Strings are left out: they hold names of files that only tests make. */
function comments(text: string): string {
  return (text.match(/\/\*[^]*?\*\/|^\s*(?:\/\/|#).*$/gm) ?? []).join('\n');
}

describe('documents', () => {
  it('are in the repository where a comment names them', () => {
    assert(sources.length > 500);
    const missing = sources.flatMap((path) =>
      namedIn(comments(readFileSync(join(root, path), 'utf8')))
        .filter((name) => !known.has(name))
        .map((name) => `${path}: ${name}`),
    );
    assert.deepEqual(missing, []);
  });

  it('are in the repository where another document names them', () => {
    const missing = documents.flatMap((path) =>
      namedIn(readFileSync(join(root, path), 'utf8'))
        .filter((name) => !known.has(name) && name !== inExamples)
        .map((name) => `${path}: ${name}`),
    );
    assert.deepEqual(missing, []);
  });

  it('name sources that are in the repository, by the end of their paths', () => {
    const paths = [...sources, ...filesBelow('.', /^[\w.-]+\.(?:js|ts|mjs)$/)].map((path) => `/${path}`);
    const named = documents.flatMap((document) =>
      [...readFileSync(join(root, document), 'utf8').matchAll(/`([\w./-]+\.(?:ts|mts|mjs|py))`/g)].map(
        ([, path = '']) => ({ document, path }),
      ),
    );
    assert(named.length > 50);
    // `NAME.ts` stands for one of its kind.
    const missing = named.filter(
      ({ path }) => !/\b(?:NAME|X)\./.test(path) && !paths.some((each) => each.endsWith(`/${path}`)),
    );
    assert.deepEqual(missing, []);
  });
});
