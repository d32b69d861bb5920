import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

const root = join(__dirname, '../../../..');
const rooms = ['src/commands', 'src/providers', 'src/ui'];

/** Every text given to `t(…)`, as a person reads it. */
function texts(): string[] {
  const files = rooms.flatMap((room) =>
    readdirSync(join(root, room), { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.ts'))
      .map((name) => join(root, room, name)),
  );
  const literal = /\bt\(\s*('(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*")/g;
  return files.flatMap((file) =>
    [...readFileSync(file, 'utf8').matchAll(literal)].map((match) => unquoted(match[1] ?? '')),
  );
}

function unquoted(literal: string): string {
  const inner = literal.slice(1, -1);
  return inner.replace(/\\(.)/g, (_, char: string) => (char === 'n' ? '\n' : char));
}

const bundleOf = (name: string) =>
  JSON.parse(readFileSync(join(root, name), 'utf8')) as Record<string, string>;
/** What must be in a translation as it is: places of values, commands and addresses of links, what is typed or set. */
const kept = (text: string): string[] =>
  [...new Set([...text.matchAll(/\{\d+\}|\]\([^)]*\)|`[^`]*`|\$\([\w~-]+\)/g)].map(([part]) => part))].sort();

describe('the German translation', () => {
  for (const [english, german] of [
    ['l10n/bundle.l10n.json', 'l10n/bundle.l10n.de.json'],
    ['package.nls.json', 'package.nls.de.json'],
  ] as const) {
    const [from, to] = [bundleOf(english), bundleOf(german)];

    it(`${german} has every text, and no other: a new English text needs a German one`, () => {
      const missing = Object.keys(from).filter((key) => (to[key] ?? '') === '');
      const extra = Object.keys(to).filter((key) => from[key] === undefined);
      assert.deepEqual({ missing, extra }, { missing: [], extra: [] });
    });

    it(`${german} keeps places, links and what is typed`, () => {
      const differ = Object.entries(from).filter(
        ([key, text]) => kept(text).join(' ') !== kept(to[key] ?? '').join(' '),
      );
      assert.deepEqual(differ, []);
    });
  }

  it('is German: few texts are the same in both', () => {
    const same = Object.entries(bundleOf('l10n/bundle.l10n.de.json')).filter(
      ([key, text]) => key === text && /[a-z]{4}/.test(key),
    );
    assert.ok(same.length < 30, same.join('\n'));
  });
});

describe('l10n/bundle.l10n.json', () => {
  const bundle = JSON.parse(readFileSync(join(root, 'l10n/bundle.l10n.json'), 'utf8')) as Record<
    string,
    string
  >;
  const wanted = [...new Set(texts())].sort();

  it('holds every text of the extension, for translators, and nothing else', () => {
    const want = Object.fromEntries(wanted.map((text) => [text, text]));
    const missing = wanted.filter((text) => bundle[text] === undefined);
    const extra = Object.keys(bundle).filter((text) => want[text] === undefined);
    assert.deepEqual({ missing, extra }, { missing: [], extra: [] });
  });

  it('finds many', () => {
    assert.ok(wanted.length > 150, String(wanted.length));
  });

  it('numbers the places in a text from 0 without a gap', () => {
    for (const text of wanted) {
      const numbers = [...new Set([...text.matchAll(/\{(\d+)\}/g)].map((match) => Number(match[1])))].sort();
      assert.deepEqual(
        numbers,
        numbers.map((_, index) => index),
        text,
      );
    }
  });
});
