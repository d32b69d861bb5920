import * as vscode from 'vscode';
import type { FoundLine } from '../../api';
import { baseName } from '../../api/rules/volume-path';
import { volumeUri } from '../../providers/files/volume-uri';
import type { Handler, Services } from '../command';
import { askForText, waysOf, type Wanted } from './ask-for-text';
import { openFound } from './found-documents';
import { chooseFound, type FoundItem } from './found-list';
import type { FoundTree } from './found-tree';
import { linesWords, selectionOf } from './found-words';
import { leftOut, searchedPlace } from './searched-place';

const { t } = vscode.l10n;

/** Finds text in the files of a volume, and opens a line of what was found, or all of it. */
export const findText = ({
  link,
  targets,
  context,
  found,
}: Pick<Services, 'link' | 'targets' | 'context'> & { found: FoundTree }): Handler => {
  const usual = { include: '', exclude: leftOut };
  let before = usual;
  return async (target) => {
    const place = await searchedPlace(targets, target);
    const wanted = await askForText(t('Find in {0}', place.volume), usual, before);
    before = { include: wanted.include, exclude: wanted.exclude };
    const title = t('“{0}” in {1}', wanted.text, place.volume);
    const chosen = await chooseFound(await link.client(), place, {
      title,
      query: { ...wanted },
      itemOf: (found) =>
        typeof found === 'string'
          ? { label: found, path: found }
          : {
              label: found.text.trim() === '' ? ' ' : found.text.trim(),
              description: `${baseName(found.path)}:${found.line}`,
              path: found.path,
              line: found,
            },
      summary: foundWords,
      groupOf: (path, count) => `${path} · ${linesWords(count)}`,
      all: [
        {
          icon: 'list-tree',
          tooltip: t('Show All in the Side Bar'),
          open: (items, summary) =>
            found.show({ volume: place.volume, title, summary, lines: linesOf(items) }),
        },
        {
          icon: 'open-preview',
          tooltip: t('Open All in an Editor'),
          open: (items, summary) =>
            openFound(context, {
              volume: place.volume,
              title,
              head: headOf(title, place.path, wanted, summary),
              lines: linesOf(items),
              countWords: linesWords,
            }),
        },
      ],
    });
    if (chosen !== undefined) {
      await vscode.window.showTextDocument(volumeUri(place.volume, chosen.path), {
        selection: selectionOf(chosen.line ?? { line: 1, column: 1, length: 0 }),
      });
    }
  };
};

const linesOf = (items: readonly FoundItem[]): FoundLine[] => items.flatMap(({ line }) => line ?? []);

function headOf(title: string, path: string, wanted: Wanted, summary: string): string[] {
  const ways = waysOf(wanted);
  return [
    title,
    ...(path === '/' ? [] : [t('Folder: {0}', path)]),
    ...(ways.length === 0 ? [] : [ways.join(', ')]),
    summary,
  ];
}

function foundWords(items: readonly FoundItem[]): string {
  const files = new Set(items.map(({ path }) => path)).size;
  const lines = linesWords(items.length);
  return files === 1 ? t('{0} in 1 file', lines) : t('{0} in {1} files', lines, files);
}
