import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import '../../support/vscode/stand-in';
import * as vscode from 'vscode';
import { formatBytes as plainBytes, parseMiB } from '../../../src/api/rules/sizes';
import { formatBytes, formatMiB, localSize, typedNumber } from '../../../src/ui/sizes';

const root = join(__dirname, '../../../..');
const speak = (language: string): object => Object.assign(vscode.env, { language });

describe('sizes in the language of the window', () => {
  afterEach(() => speak('en'));

  it('have its decimal mark, and are else what the one rule says', () => {
    for (const [language, mark] of [
      ['en', '.'],
      ['de', ','],
      ['fr', ','],
      ['ar', '.'],
      ['zh-cn', '.'],
    ] as const) {
      speak(language);
      for (let bytes = 1; bytes < 2 ** 55; bytes = bytes * 1.37 + 1) {
        assert.equal(formatBytes(bytes), plainBytes(bytes).replace('.', mark), language);
      }
      assert.equal(formatMiB(1536), `1${mark}5 GiB`);
      assert.equal(localSize('3.4 GiB'), `3${mark}4 GiB`);
    }
  });

  it('can be typed as they are shown', () => {
    for (const language of ['en', 'de']) {
      speak(language);
      for (let mebibytes = 1; mebibytes < 2 ** 20; mebibytes = mebibytes * 1.7 + 1) {
        const shown = formatMiB(Math.round(mebibytes));
        assert.equal(
          parseMiB(typedNumber(shown)),
          parseMiB(plainBytes(Math.round(mebibytes) * 2 ** 20)),
          shown,
        );
      }
    }
    assert.equal(typedNumber('1,5 GiB'), '1.5 GiB');
    assert.equal(parseMiB(typedNumber('0,125 GiB')), 128);
    for (const thousand of ['1.500 MiB', '1,500 MiB', ' 12.000', '1.500.000 MiB'])
      assert.equal(parseMiB(typedNumber(thousand)), undefined, thousand);
    speak('en');
    assert.equal(parseMiB(typedNumber('1,024 MiB')), undefined, 'a comma of thousands is no decimal mark');
  });

  it('are written by nothing else in a window', () => {
    const others = ['src/ui', 'src/providers', 'src/commands'].flatMap((room) =>
      readdirSync(join(root, room), { recursive: true, encoding: 'utf8' })
        .filter((name) => name.endsWith('.ts'))
        .map((name) => join(room, name))
        .filter((file) => file !== join('src/ui', 'sizes.ts'))
        .filter((file) =>
          /\{[^}]*\b(?:formatBytes|formatMiB)\b[^}]*\} from '[./]+api\/rules\/sizes'/.test(
            readFileSync(join(root, file), 'utf8'),
          ),
        ),
    );
    assert.deepEqual(others, []);
  });
});
