/** A window in another language: VS Code takes one of which it knows a language pack, be it an empty one. */
import { readFile, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { VsCode } from '../../runner/vscode';
import { pseudo } from '../../support/pseudo-locale';

/** VS Code's own texts stay English; those of extensions are in their translations. */
export async function addLanguage({ directory }: VsCode, locale: string): Promise<void> {
  const translation = join(directory, 'main.i18n.json');
  await writeFile(translation, JSON.stringify({ version: '1.0.0', contents: {} }));
  const pack = {
    hash: locale,
    label: locale,
    extensions: [{ extensionIdentifier: { id: `berth-test.${locale}` }, version: '1.0.0' }],
    translations: { vscode: translation },
  };
  await writeFile(join(directory, 'data', 'languagepacks.json'), JSON.stringify({ [locale]: pack }));
}

/** Gives the installed extension a translation in which each text is in brackets, from right to left and twice as long. */
export async function translateToPseudo({ directory }: VsCode, locale: string): Promise<void> {
  const exts = join(directory, 'exts');
  const own = (await readdir(exts)).find((name) => name.startsWith('berth.berth-'));
  for (const [from, to] of [
    ['l10n/bundle.l10n.json', `l10n/bundle.l10n.${locale}.json`],
    ['package.nls.json', `package.nls.${locale}.json`],
  ] as const) {
    const path = (name: string): string => join(exts, own ?? '', name);
    const texts = JSON.parse(await readFile(path(from), 'utf8')) as Record<string, string>;
    const translated = Object.entries(texts).map(([key, text]) => [key, aroundLinks(text)]);
    await writeFile(path(to), JSON.stringify(Object.fromEntries(translated)));
  }
}

/** Links, and the lines that they are on, mean something to VS Code. */
function aroundLinks(text: string): string {
  const parts = text.split(/(\[[^\]]*\]\([^)]*\)|\n)/);
  return parts
    .map((part) => {
      const link = /^\[([^\]]*)\](\([^)]*\))$/.exec(part);
      if (link !== null) return `[${pseudo(link[1] ?? '')}]${link[2] ?? ''}`;
      return /[A-Za-z]/.test(part) ? pseudo(part) : part;
    })
    .join('');
}
