/** The German texts keep to one way of writing. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

const root = join(__dirname, '../../../..');
const texts = ['l10n/bundle.l10n.de.json', 'package.nls.de.json'].flatMap((file) =>
  Object.values(JSON.parse(readFileSync(join(root, file), 'utf8')) as Record<string, string>),
);

describe('German texts', () => {
  it('have a space before an ellipsis that stands for words', () => {
    assert.deepEqual(
      texts.filter((text) => /[\p{L}”“)]…/u.test(text)),
      [],
    );
  });

  it('have one word for a pause, that of VS Code itself', () => {
    assert.deepEqual(
      texts.filter((text) => /pausier/i.test(text)),
      [],
    );
  });

  it('have one word for a disk', () => {
    assert.deepEqual(
      texts.filter((text) => /Festplatte|Laufwerk/.test(text)),
      [],
    );
  });
});
