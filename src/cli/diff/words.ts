/** What has changed, in lines for people. */
import type { Change, CompareEnd, ComparedFile } from '../../api';
import { formatBytes } from '../../api/rules/sizes';

const letters: Readonly<Record<Change['kind'], string>> = {
  ...{ added: 'A', removed: 'D', changed: 'M', type: 'T', metadata: 'P' },
};

/** A letter, the path, and of what is on both sides what of it has changed. */
export function formatChange(change: Change, shownName: (name: string) => string): string {
  const name = shownName(nameOf(change));
  const what = change.kind === 'type' ? typesOf(change) : (change.what ?? []).filter(isNamedPart).join(', ');
  return `${letters[change.kind]} ${name}${what === '' ? '' : ` (${what})`}`;
}

/** The path as it is for `--name-only`: without a slash before it. A folder ends in one. */
export function nameOf({ path, before, after }: Change): string {
  const isFolder = (after ?? before)?.type === 'directory';
  const name = path === '/' ? '.' : path.slice(1);
  return isFolder ? `${name}/` : name;
}

/** With the sizes of before and after. */
export function formatStat(changes: readonly Change[], shownName: (name: string) => string): string[] {
  const names = changes.map((change) => `${letters[change.kind]} ${shownName(nameOf(change))}`);
  const width = Math.min(60, Math.max(0, ...names.map((name) => name.length)));
  return changes.map((change, at) => `${(names[at] ?? '').padEnd(width)} | ${sizesOf(change)}`);
}

/** One line. */
export function formatEnd(end: CompareEnd): string {
  const { added, removed, changed, metadata, bytesBefore, bytesAfter, unread, ignored = 0 } = end;
  const left = ignored > 0 ? ` ${ignored} names are left out, as .gitignore files say.` : '';
  if (added + removed + changed + metadata + unread === 0) {
    return `No differences.${left}`;
  }
  const counts = [
    ...[`${added} added`, `${removed} removed`, `${changed} changed`],
    ...(metadata > 0 ? [`${metadata} with another mode, owner or attributes`] : []),
    ...(unread > 0 ? [`${unread} could not be read`] : []),
  ];
  return `${counts.join(', ')}; ${formatBytes(bytesBefore)} before, ${formatBytes(bytesAfter)} after.${left}`;
}

function isNamedPart(part: string): boolean {
  return part !== 'content';
}

function typesOf({ before, after }: Change): string {
  return `${before?.type ?? 'nothing'} to ${after?.type ?? 'nothing'}`;
}

function sizesOf({ kind, before, after, what }: Change): string {
  if (kind === 'metadata') {
    return (what ?? []).join(', ');
  }
  return [before, after].map(sizeOf).join(' -> ');
}

function sizeOf(file: ComparedFile | undefined): string {
  return file === undefined ? 'nothing' : file.type === 'file' ? formatBytes(file.size) : file.type;
}
